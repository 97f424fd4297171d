// Packages in paths: `…/packages/{type}/{name}` with the parameter `namespace`. And where a page of a list begins.

import Domain
import HTTP
import Registry

extension Call {
    /// - Throws: `bad_request`.
    func package(_ formats: PackageFormats) throws(Refusal) -> PackageName {
        try formats.package(
            type: self.values["type"] ?? "", namespace: self.request.target.parameter("namespace"),
            name: self.values["name"] ?? "")
    }

    /// - Throws: `bad_request`.
    var tagName: TagName {
        get throws(Refusal) { try TagName(parsing: self.values["tag"] ?? "") }
    }

    var place: PackageReading.Place {
        get throws(Refusal) {
            PackageReading.Place(repo: try self.repoKey, credential: self.credential, correlation: self.correlation)
        }
    }

    /// The keys with which answers about a package begin.
    func names(of package: PackageName) throws(Refusal) -> [JSON.Member] {
        [
            .init("repoKey", .string(try self.repoKey.text)), .init("packageType", .string(package.type)),
            .init("packageNamespace", JSON(package.namespace)), .init("packageName", .string(package.name)),
        ]
    }

    /// The page before ended here.
    ///
    /// - Throws: `bad_request` if `after` is not a cursor of this API.
    var cursor: [String]? {
        get throws(Refusal) {
            guard let text = self.request.target.parameter("after")?.trimmedOrNil else { return nil }
            guard let parts = Cursor.parts(of: text) else { throw .badRequest("after must be the 'next' of a page.") }
            return parts
        }
    }
}

/// A place in a list, opaque to clients.
enum Cursor {
    static func text(of parts: [String]) -> String { Hexadecimal.text(of: JSON(parts).bytes) }

    static func parts(of text: String) -> [String]? {
        guard let bytes = Hexadecimal.bytes(of: text), let elements = (try? JSON(parsing: bytes))?.elements else {
            return nil
        }
        let parts = elements.compactMap(\.text)
        return parts.count == elements.count && !parts.isEmpty && !parts.contains { $0.utf8.contains(0) } ? parts : nil
    }
}
