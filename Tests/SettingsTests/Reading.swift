// How the tests read settings: from a text that stands for the file, variables and words.

import Foundation
import Settings

/// - Parameter yaml: written to a file of its own, called `settings.yaml`.
func read(
    _ yaml: String? = nil, _ arguments: [String] = [], environment: [String: String] = [:], isTerminal: Bool = false
) throws -> Configuration {
    let surroundings = Surroundings(isTerminal: isTerminal, processors: 2)
    guard let yaml else {
        return try Configuration.read(arguments: arguments, environment: environment, surroundings: surroundings)
    }
    return try withFile(yaml, named: "settings.yaml") { path in
        try Configuration.read(
            arguments: ["--config", path] + arguments, environment: environment, surroundings: surroundings)
    }
}

/// The line that refuses these settings, the file's folder cut off; nil where they are taken.
func refusal(
    _ yaml: String? = nil, _ arguments: [String] = [], environment: [String: String] = [:]
) -> String? {
    do {
        _ = try read(yaml, arguments, environment: environment)
        return nil
    } catch {
        let folder = FileManager.default.temporaryDirectory.path
        let text = "\(error)"
        guard let start = text.range(of: folder), let end = text.range(of: "settings.yaml") else { return text }
        return text.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: "")
    }
}

/// Lends a file that is gone afterwards.
func withFile<Value>(_ text: String, named name: String, _ body: (String) throws -> Value) throws -> Value {
    try withFile(Data(text.utf8), named: name, body)
}

func withFile<Value>(_ content: Data, named name: String, _ body: (String) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try content.write(to: file)
    return try body(file.path)
}
