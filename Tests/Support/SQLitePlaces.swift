// SQLite's templates and copies: files in a directory of this process, which goes with it.

import Domain
import Foundation
import Persistence
import SQLite

enum SQLitePlaces {
    private static let shelf = TemplateShelf()

    private static let directory: String = {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let path = "\(base)/artifortress-databases.\(UniqueID.random().hex)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: SQLitePlaces.directory) }
        return path
    }()

    /// The template itself.
    static func shared(_ template: Template) async throws -> Place {
        let original = "\(self.directory)/\(template.name).db"
        try await self.shelf.ensure(original) {
            let database = SQLiteDatabase(path: original, readers: 1, durability: .normal)
            do {
                try await template.fill(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        }
        return .file(original)
    }

    static func with(_ template: Template, _ body: (Place) async throws -> Void) async throws {
        guard case .file(let original) = try await self.shared(template) else { return }
        try await TemporaryDirectory.with { directory in
            let path = "\(directory)/metadata.db"
            // Without migrations the file has nothing in it, and SQLite may not have written it.
            if FileManager.default.fileExists(atPath: original) {
                try FileManager.default.copyItem(atPath: original, toPath: path)
            }
            try await body(.file(path))
        }
    }
}
