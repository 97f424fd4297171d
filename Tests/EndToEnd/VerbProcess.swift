// The real binary's verbs, run as processes.

import Foundation
import TestSupport

struct VerbProcess {
    let code: Int32
    let output: String
    let complaints: String

    /// Runs a verb to its end.
    static func run(_ words: [String]) async throws -> VerbProcess {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ServerProcess.binary)
        process.arguments = words
        let (output, complaints) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, complaints)
        try process.run()
        let out = output.fileHandleForReading.readDataToEndOfFile()  // a verb says little: no pipe fills up
        let err = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return VerbProcess(
            code: process.terminationStatus, output: String(decoding: out, as: UTF8.self),
            complaints: String(decoding: err, as: UTF8.self))
    }

    /// Settings as flags.
    static func flags(_ settings: [String: String]) -> [String] {
        settings.sorted { $0.key < $1.key }.map { "--\(ServerProcess.flag($0.key))=\($0.value)" }
    }

    var line: String { self.output.trimmingCharacters(in: .whitespacesAndNewlines) }
}
