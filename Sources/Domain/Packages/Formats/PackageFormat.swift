// What a package type asks of what is published under it. An ecosystem brings its own; those that `/v1` knows by
// itself are in ``PackageFormats/standard``. Rules: HTTP contract, 3.5 and section 9, rows 14 and 26; architecture,
// section 5 (Sealing, Order).

package protocol PackageFormat: Sendable {
    /// Lower case.
    var type: String { get }
    var sealing: Sealing { get }

    /// The package's name as it is compared, with the publisher's spelling beside it.
    ///
    /// - Parameters are trimmed and not blank.
    func name(namespace: String?, _ name: String) throws(Refusal) -> PackageName

    /// Bytes whose order is the format's order of versions.
    func sortKey(of version: String) -> [UInt8]

    /// - Throws: `bad_request`, naming the first member that is wrong.
    func check(_ manifest: JSON) throws(Refusal)
}

extension PackageFormat {
    package var sealing: Sealing { .sealed }

    package func name(namespace: String?, _ name: String) -> PackageName {
        PackageName(
            type: self.type, namespace: namespace?.lowercased(), name: name.lowercased(), displayName: name)
    }

    package func sortKey(of version: String) -> [UInt8] { Array(version.utf8) }

    package func check(_ manifest: JSON) throws(Refusal) { try ManifestRule().check(manifest) }
}

/// Which members a manifest must have.
package struct ManifestRule: Sendable {
    private let required: [String]
    private let texts: [String]

    /// - Parameters:
    ///   - required: must be there and be text that is not blank; looked at in this order.
    ///   - texts: must be text where they are there.
    package init(required: [String] = [], texts: [String] = []) {
        self.required = required
        self.texts = texts
    }

    /// - Throws: `bad_request`.
    package func check(_ manifest: JSON) throws(Refusal) {
        guard manifest.members != nil else { throw .badRequest("manifest must be an object.") }
        for name in self.required where manifest[name]?.text?.trimmedOrNil == nil {
            throw .badRequest("manifest.\(name) is required and must be a string that is not blank.")
        }
        for name in self.texts {
            switch manifest[name] {
            case nil, .null, .string: continue
            default: throw .badRequest("manifest.\(name) must be a string.")
            }
        }
    }
}

/// The package types that are known.
package struct PackageFormats: Sendable {
    private let formats: [Name: any PackageFormat]

    package init(_ formats: [any PackageFormat]) {
        self.formats = Dictionary(formats.map { (Name($0.type), $0) }, uniquingKeysWith: { $1 })
    }

    package static let standard = PackageFormats([
        NuGetFormat(), NPMFormat(), MavenFormat(), PyPIFormat(), OCIFormat(), CargoFormat(), SwiftFormat(),
        GenericFormat(),
    ])

    /// One of no format of its own sorts its versions as text.
    package subscript(type: String) -> any PackageFormat { self.formats[Name(type)] ?? OtherFormat(type: type) }

    /// Reads a package's name as a caller writes it.
    ///
    /// - Throws: `bad_request`.
    package func package(type: String, namespace: String?, name: String) throws(Refusal) -> PackageName {
        let type = try Self.text(type, "packageType", limit: 64).lowercased()
        let namespace = try namespace?.trimmedOrNil.map { text throws(Refusal) in
            try Self.text(text, "packageNamespace", limit: 512)
        }
        return try self[type].name(namespace: namespace, Self.text(name, "packageName", limit: 1024))
    }

    /// Reads a coordinate as a caller writes it.
    ///
    /// - Throws: `bad_request`.
    package func coordinate(
        type: String, namespace: String?, name: String, version: String
    ) throws(Refusal) -> Coordinate {
        try self.coordinate(of: self.package(type: type, namespace: namespace, name: name), version: version)
    }

    /// - Throws: `bad_request`.
    package func coordinate(of package: PackageName, version: String) throws(Refusal) -> Coordinate {
        let version = try Self.text(version, "version", limit: 255)
        return Coordinate(package, version: version, sortKey: self[package.type].sortKey(of: version))
    }

    /// - Parameter limit: in bytes of UTF-8.
    private static func text(_ text: String, _ name: String, limit: Int) throws(Refusal) -> String {
        guard let text = text.trimmedOrNil else { throw .badRequest("\(name) is required.") }
        guard text.utf8.count <= limit, !text.hasControlCharacter else {
            throw .badRequest("\(name) must have at most \(limit) bytes and no control characters.")
        }
        return text
    }
}
