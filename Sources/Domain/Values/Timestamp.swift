// Points in time, and their written forms.
// Rules: RFC 3339; HTTP contract, 1.4 (`ts`); RFC 9110, 5.6.7 (HTTP dates). Calendar arithmetic is the proleptic
// Gregorian calendar's, in days since 1970-01-01.

/// Microseconds since 1970-01-01T00:00:00Z: what `timestamptz` resolves, and an INTEGER in SQLite.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (time: Self, seconds: Int64) -> Self {
        Self(microseconds: time.microseconds + seconds * 1_000_000)
    }

    /// The seconds from `start` to `end`, rounded down.
    package static func seconds(from start: Self, to end: Self) -> Int64 {
        Self.floor(end.microseconds - start.microseconds, by: 1_000_000)
    }

    /// `2026-02-11T10:00:00.123456Z`: always UTC, six fraction digits.
    package var description: String {
        let moment = CalendarMoment(self)
        let fraction = self.microseconds - Self.floor(self.microseconds, by: 1_000_000) * 1_000_000
        return "\(Self.padded(moment.year, 4))-\(Self.padded(moment.month, 2))-\(Self.padded(moment.day, 2))T"
            + "\(moment.clock).\(Self.padded(Int(fraction), 6))Z"
    }

    /// `Wed, 11 Feb 2026 10:00:00 GMT`.
    package var httpDate: String {
        let moment = CalendarMoment(self)
        return "\(CalendarMoment.weekdays[moment.weekday]), \(Self.padded(moment.day, 2)) "
            + "\(CalendarMoment.months[moment.month - 1]) \(Self.padded(moment.year, 4)) \(moment.clock) GMT"
    }

    /// `20260211T100000Z`: ISO 8601's basic form, as signed requests carry it.
    package var basicForm: String {
        let moment = CalendarMoment(self)
        return Self.padded(moment.year, 4) + Self.padded(moment.month, 2) + Self.padded(moment.day, 2) + "T"
            + moment.clock.filter { $0 != ":" } + "Z"
    }

    /// Reads any form of RFC 3339; what is finer than a microsecond is cut off.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) -> Int? {
            guard start + count <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[start..<(start + count)] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        func holds(_ character: Character, at index: Int) -> Bool {
            index < bytes.count && bytes[index] == character.asciiValue
        }
        guard let year = number(0, 4), holds("-", at: 4), let month = number(5, 2), holds("-", at: 7),
            let day = number(8, 2), holds("T", at: 10) || holds("t", at: 10) || holds(" ", at: 10),
            let hour = number(11, 2), holds(":", at: 13), let minute = number(14, 2), holds(":", at: 16),
            let second = number(17, 2), (1...12).contains(month),
            (1...CalendarMoment.days(inMonth: month, of: year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        var fraction = 0
        if holds(".", at: index) {
            var scale = 100_000
            index += 1
            guard number(index, 1) != nil else { return nil }
            while let digit = number(index, 1) {
                fraction += digit * scale
                scale /= 10
                index += 1
            }
        }
        var offset = 0
        if holds("Z", at: index) || holds("z", at: index) {
            index += 1
        } else {
            guard holds("+", at: index) || holds("-", at: index), let hours = number(index + 1, 2),
                holds(":", at: index + 3), let minutes = number(index + 4, 2), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (holds("-", at: index) ? -60 : 60)
            index += 6
        }
        guard index == bytes.count else { return nil }
        let seconds =
            CalendarMoment.daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        self.microseconds = Int64(seconds) * 1_000_000 + Int64(fraction)
    }

    /// Reads the preferred form of an HTTP date; the obsolete ones count as absent, which is allowed for a condition.
    package init?(httpDate text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]),
            let month = CalendarMoment.months.firstIndex(of: String(words[2])), (1...9999).contains(year),
            (1...CalendarMoment.days(inMonth: month + 1, of: year)).contains(day)
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        let days = CalendarMoment.daysSince1970(year, month + 1, day)
        self.microseconds = Int64(days * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]) * 1_000_000
    }

    /// Without the fraction of a second, as HTTP dates are.
    package var wholeSeconds: Timestamp {
        Timestamp(microseconds: Self.floor(self.microseconds, by: 1_000_000) * 1_000_000)
    }

    static func floor(_ value: Int64, by divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// A timestamp taken apart by the calendar, in UTC.
struct CalendarMoment {
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

    let year: Int, month: Int, day: Int
    /// Of the day.
    let second: Int
    /// 0 is Sunday.
    let weekday: Int

    init(_ time: Timestamp) {
        let seconds = Int(Timestamp.floor(time.microseconds, by: 1_000_000))
        let days = Int(Timestamp.floor(Int64(seconds), by: 86400))
        self.second = seconds - days * 86400
        self.weekday = ((days + 4) % 7 + 7) % 7
        // Counted from 0000-03-01, so that the leap day is a year's last.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    /// `10:00:00`.
    var clock: String {
        "\(Timestamp.padded(self.second / 3600, 2)):\(Timestamp.padded(self.second / 60 % 60, 2)):"
            + Timestamp.padded(self.second % 60, 2)
    }

    static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
