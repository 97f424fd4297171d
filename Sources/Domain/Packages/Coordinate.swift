// What names a version among all of a repository. Rules: HTTP contract, 1.4 and 3.5; section 9, row 26.

/// A package: type, namespace, name. Each format says how it is normalized.
package struct PackageName: Hashable, Sendable {
    private let typeName: Name
    private let space: Name?
    private let ownName: Name
    private let shownName: Name

    package var type: String { self.typeName.text }
    /// Nil for none.
    package var namespace: String? { self.space?.text }
    package var name: String { self.ownName.text }
    /// As its publisher writes it.
    package var displayName: String { self.shownName.text }

    /// - Parameters are taken as they are: the format has normalized and checked them.
    package init(type: String, namespace: String? = nil, name: String, displayName: String? = nil) {
        self.typeName = Name(type)
        self.space = namespace.map { Name($0) }
        self.ownName = Name(name)
        self.shownName = Name(displayName ?? name)
    }
}

/// One version of a package.
package struct Coordinate: Hashable, Sendable {
    package let package: PackageName
    private let versionName: Name

    package var version: String { self.versionName.text }
    /// Bytes whose order is the format's order of versions.
    package let sortKey: [UInt8]

    package init(_ package: PackageName, version: String, sortKey: [UInt8]) {
        self.package = package
        self.versionName = Name(version)
        self.sortKey = sortKey
    }
}

package enum Package {}
package typealias PackageID = Identifier<Package>
