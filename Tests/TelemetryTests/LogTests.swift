// The log: its lines, its secrets, its buffer.

import Domain
import Glibc
import Telemetry
import Testing
import Threads

/// A pipe: a log writes into it, a test reads.
private final class Line: Sendable {
    let reading: Int32
    let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        unsafe pipe(&ends)
        self.reading = ends[0]
        self.writing = ends[1]
    }

    deinit {
        close(self.reading)
        close(self.writing)
    }

    /// What stands in the pipe now, or comes first.
    func read() -> String {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            count = unsafe max(0, Glibc.read(self.reading, buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite struct LogTests {
    private let clock = WallClock { Timestamp(rfc3339: "2026-02-11T10:00:00.123456Z")! }
    private let correlation = UniqueID("00000000-0000-4000-8000-000000000001")!

    /// What `body` logs.
    private func logged(
        _ format: Log.Format, level: Log.Level = .debug, _ body: (Log) -> Void
    ) -> String {
        let line = Line()
        let log = Log(level: level, format: format, descriptor: line.writing, clock: self.clock)
        body(log)
        log.write(.error, "end")
        #expect(log.flush())
        return line.read().split(separator: "\n").dropLast().map { $0 + "\n" }.joined()
    }

    @Test func `a line is a JSON object`() throws {
        let text = self.logged(.json) { log in
            log.info("a \"b\"\nc", ["status": 200, "list": [1, "x"], "none": nil], correlation: self.correlation)
        }
        #expect(
            text == #"{"time":"2026-02-11T10:00:00.123456Z","level":"info","message":"a \"b\"\nc","#
                + #""correlationId":"00000000-0000-4000-8000-000000000001","status":200,"list":[1,"x"],"none":null}"#
                + "\n")
        #expect(try JSON(parsing: text)["message"]?.text == "a \"b\"\nc")
    }

    @Test func `a field that is called as one of the log's own doesn't hide it`() {
        let text = self.logged(.json) { $0.warning("m", ["level": "x", "message": "y"]) }
        #expect(text.contains(#""level":"warning","message":"m","level_":"x","message_":"y""#))
    }

    @Test func `a line for people is one line`() {
        let text = self.logged(.text) { log in
            log.error(
                "no\nforged\u{1B}[2J\r\nline", ["a": "x", "b": "x y", "c": "", "d": 7, "e": "q\"\n", "f": "\u{202E}"],
                correlation: self.correlation)
        }
        #expect(
            text == #"2026-02-11T10:00:00.123Z ERROR   no\nforged\u{1b}[2J\u{d}\nline "#
                + #"correlationId=00000000-0000-4000-8000-000000000001 a=x b="x y" c="" d=7 e="q\"\n" f=\u{202e}"#
                + "\n")
    }

    @Test(arguments: Log.Format.allCases)
    func `control and bidirectional characters are escaped`(format: Log.Format) throws {
        let hidden =
            (0...0x9F).filter { $0 < 0x20 || $0 > 0x7E } + [0x2028, 0x2029, 0xFEFF, 0xE0001]
            + Array(0x202A...0x202E) + Array(0x2066...0x2069)
        let sent = "é日" + String(String.UnicodeScalarView(hidden.compactMap { Unicode.Scalar(UInt32($0)) })) + "😀"
        let text = self.logged(format) { $0.info(sent, ["field \(sent)": .string(sent), "list": [.string(sent)]]) }
        #expect(text.hasSuffix("\n") && text.contains("é日") && text.contains("😀"))
        let raw = text.dropLast().unicodeScalars.filter { hidden.contains(Int($0.value)) }
        #expect(raw.isEmpty, "\(raw.map { String($0.value, radix: 16) })")
        if format == .json { #expect(try JSON(parsing: text)["list"] == [.string(sent)], "nothing is lost") }
    }

    @Test(arguments: Log.Format.allCases)
    func `secrets don't get into the log`(format: Log.Format) {
        let text = self.logged(format) { log in
            log.info(
                "database postgres://u:hunter2@h failed, password=hunter2",
                ["token": "hunter2", "error": "Bearer hunter2", "body": ["secret": ["hunter2"]], "tokenId": "shown"])
        }
        #expect(!text.contains("hunter2") && text.contains("[REDACTED]") && text.contains("shown"))
    }

    @Test func `lines below the level aren't even made`() {
        var made = 0
        func message() -> String {
            made += 1
            return "m"
        }
        let text = self.logged(.json, level: .warning) { log in
            log.debug(message())
            log.info(message())
            log.warning(message())
            log.error(message())
            #expect(!log.isOn(.info) && log.isOn(.warning))
        }
        #expect(made == 2 && text.split(separator: "\n").count == 2)
    }

    @Test func `a log that nobody reads drops lines, counts them, and holds nobody up`() {
        let line = Line()
        let log = Log(format: .json, descriptor: line.writing, capacity: 20_000, clock: self.clock)
        let before = ContinuousClock.now
        for number in 0..<2000 { log.info("line \(number) \(String(repeating: "x", count: 100))") }
        #expect(ContinuousClock.now - before < .seconds(10))
        #expect(!log.flush(atMost: .milliseconds(50)))
        let dropped = log.dropped
        #expect(dropped > 1000 && dropped < 2000)
        // It goes on where it is read again, and says what is missing: every line is there or counted.
        var text = ""
        while Self.accountedFor(in: text) < 2000 { text += line.read() }
        #expect(text.contains("line 0 ") && Self.accountedFor(in: text) == 2000)
        #expect(text.contains(#""message":"Lines of this log were dropped.","lines":"#))
        log.info("after")
        #expect(log.flush() && line.read().contains("after"))
    }

    /// Whole lines, and those that whole lines say were dropped.
    private static func accountedFor(in text: String) -> Int {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().reduce(0) { count, line in
            guard line.contains("were dropped.") else { return count + (line.contains("\"line ") ? 1 : 0) }
            return count + (line.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0)
        }
    }

    @Test func `lines of many threads stay whole and in each thread's order`() async {
        let line = Line()
        let log = Log(format: .json, descriptor: line.writing, clock: self.clock)
        async let text = withCheckedContinuation { done in
            Thread.start {
                var text = ""
                while !text.contains("\"end\"") { text += line.read() }
                done.resume(returning: text)
            }
        }
        await withTaskGroup { group in
            for task in 0..<4 {
                group.addTask {
                    for number in 0..<1000 { log.info("m", ["task": JSON(task), "number": JSON(number)]) }
                }
            }
        }
        log.info("end")
        var next = [0, 0, 0, 0]
        for line in await text.split(separator: "\n") {
            guard let document = try? JSON(parsing: String(line)), let task = document["task"]?.integer else {
                continue
            }
            #expect(document["number"]?.integer == Int64(next[Int(task)]))
            next[Int(task)] += 1
        }
        #expect(next == [1000, 1000, 1000, 1000])
    }

    @Test func `a closed pipe ends nothing`() {
        var ends: [Int32] = [-1, -1]
        unsafe pipe(&ends)
        close(ends[0])
        let log = Log(format: .text, descriptor: ends[1])
        log.info("into the void")
        #expect(log.flush())
        close(ends[1])
    }

    @Test func `what was logged is written although the log is gone`() {
        let line = Line()
        do {
            let log = Log(format: .json, descriptor: line.writing, clock: self.clock)
            log.info("last words")
        }
        #expect(line.read().contains("last words"))
    }
}
