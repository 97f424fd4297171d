// What the program tells those who run it: one line an event, without secrets, and never in the way of a request.

package import Domain
import Glibc
package import Threads

/// A log on a file descriptor. A line is rendered where it is logged and written by a thread of the log's own; where
/// that falls behind by more than its buffer, lines are dropped and counted.
package final class Log: Sendable {
    package enum Level: String, CaseIterable, Comparable, Sendable {
        case debug, info, warning, error

        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    package enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    package let level: Level
    package let format: Format
    /// How a fault is written.
    package let words: @Sendable (any Error) -> String
    private let clock: WallClock
    private let writer: LogWriter

    /// - Parameters:
    ///   - descriptor: stays open as long as the log.
    ///   - capacity: in bytes, of lines that wait to be written.
    package init(
        level: Level = .info, format: Format, descriptor: Int32 = STDERR_FILENO, capacity: Int = 1 << 20,
        clock: WallClock = .system, words: @escaping @Sendable (any Error) -> String = { FaultText.of($0) }
    ) {
        self.level = level
        self.format = format
        self.clock = clock
        self.words = words
        self.writer = LogWriter(descriptor: descriptor, capacity: capacity) { count in
            LogLine(
                time: clock.now(), level: .warning, message: "Lines of this log were dropped.", correlation: nil,
                fields: [("lines", JSON(count))]
            ).bytes(in: format)
        }
    }

    deinit { self.writer.end() }

    /// How many lines could not be kept until they were written.
    package var dropped: Int { self.writer.dropped }

    package func isOn(_ level: Level) -> Bool { level >= self.level }

    /// Logs one line. Secrets are hidden by their fields' names and by what stands in front of them.
    ///
    /// - Parameter correlation: the `X-Correlation-Id` of the request that this is about.
    package func write(
        _ level: Level, _ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, JSON> = [:],
        correlation: UniqueID? = nil
    ) {
        guard self.isOn(level) else { return }
        let line = LogLine(
            time: self.clock.now(), level: level, message: message(), correlation: correlation,
            fields: fields.map { ($0.key, $0.value) })
        self.writer.append(line.bytes(in: self.format))
    }

    /// Logs one line whose fields were gathered one by one.
    package func write(_ level: Level, _ message: String, _ fields: [JSON.Member], correlation: UniqueID? = nil) {
        guard self.isOn(level) else { return }
        let line = LogLine(
            time: self.clock.now(), level: level, message: message, correlation: correlation,
            fields: fields.map { ($0.name, $0.value) })
        self.writer.append(line.bytes(in: self.format))
    }

    package func debug(
        _ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, JSON> = [:], correlation: UniqueID? = nil
    ) {
        self.write(.debug, message(), fields, correlation: correlation)
    }

    package func info(
        _ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, JSON> = [:], correlation: UniqueID? = nil
    ) {
        self.write(.info, message(), fields, correlation: correlation)
    }

    package func warning(
        _ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, JSON> = [:], correlation: UniqueID? = nil
    ) {
        self.write(.warning, message(), fields, correlation: correlation)
    }

    package func error(
        _ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, JSON> = [:], correlation: UniqueID? = nil
    ) {
        self.write(.error, message(), fields, correlation: correlation)
    }

    /// Logs a failure, in words.
    package func error(_ message: String, because fault: any Error, correlation: UniqueID? = nil) {
        guard self.isOn(.error) else { return }
        self.write(.error, message, ["fault": .string(self.words(fault))], correlation: correlation)
    }

    /// Waits until what has been logged is written: before the process ends. Blocks.
    ///
    /// - Returns: false if it took longer, for example because a pipe is not read.
    @discardableResult
    package func flush(atMost time: Duration = .seconds(2)) -> Bool { self.writer.flush(atMost: time) }
}
