// What names a version among all of a repository. Rules: HTTP contract, 1.4 and 3.5; section 9, row 26.

/// A package: type, namespace, name. Each format says how it is normalised.
package struct PackageName: Hashable, Sendable {
    package let type: String
    /// Nil for none.
    package let namespace: String?
    package let name: String
    /// As its publisher writes it.
    package let displayName: String

    /// - Parameters are taken as they are: the format has normalised and checked them.
    package init(type: String, namespace: String? = nil, name: String, displayName: String? = nil) {
        (self.type, self.namespace, self.name) = (type, namespace, name)
        self.displayName = displayName ?? name
    }
}

/// One version of a package.
package struct Coordinate: Hashable, Sendable {
    package let package: PackageName
    package let version: String
    /// Bytes whose order is the format's order of versions.
    package let sortKey: [UInt8]

    package init(_ package: PackageName, version: String, sortKey: [UInt8]) {
        (self.package, self.version, self.sortKey) = (package, version, sortKey)
    }
}

package enum Package {}
package typealias PackageID = Identifier<Package>
