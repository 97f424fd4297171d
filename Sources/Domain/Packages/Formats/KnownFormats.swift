// The package types that `/v1` knows. Members asked of a manifest: HTTP contract, 3.5; of the types for which it asks
// none, the members that say who the version is must be text where they are there.

/// NuGet: ids without regard to case.
package struct NuGetFormat: PackageFormat {
    package let type = "nuget"

    package init() {}

    package func sortKey(of version: String) -> [UInt8] {
        SemanticVersion(nuget: version)?.sortKey ?? SortKey(unreadable: version).bytes
    }

    package func check(_ manifest: JSON) throws(Refusal) {
        try ManifestRule(required: ["id", "version"]).check(manifest)
    }
}

package struct NPMFormat: PackageFormat {
    package let type = "npm"

    package init() {}

    package func sortKey(of version: String) -> [UInt8] { SemanticVersion.sortKey(of: version) }

    package func check(_ manifest: JSON) throws(Refusal) {
        try ManifestRule(required: ["name", "version"]).check(manifest)
    }
}

/// Maven: the namespace is the group, the name the artifact; both keep their case. Files may be added.
package struct MavenFormat: PackageFormat {
    package let type = "maven"
    package let sealing = Sealing.additive

    package init() {}

    package func name(namespace: String?, _ name: String) -> PackageName {
        PackageName(type: self.type, namespace: namespace, name: name)
    }

    package func sortKey(of version: String) -> [UInt8] {
        MavenVersion(version)?.sortKey ?? SortKey(unreadable: version).bytes
    }

    package func check(_ manifest: JSON) throws(Refusal) {
        try ManifestRule(required: ["groupId", "artifactId", "version"]).check(manifest)
    }
}

/// PyPI: names as PEP 503 compares them. Files may be added.
package struct PyPIFormat: PackageFormat {
    package let type = "pypi"
    package let sealing = Sealing.additive

    package init() {}

    package func name(namespace: String?, _ name: String) -> PackageName {
        PackageName(
            type: self.type, namespace: namespace?.lowercased(), name: Self.normalize(name), displayName: name)
    }

    /// Lower case, each run of `-`, `_` and `.` a `-`.
    package static func normalize(_ name: String) -> String {
        var text = ""
        for scalar in name.lowercased().unicodeScalars {
            let isSeparator = scalar == "-" || scalar == "_" || scalar == "."
            if !isSeparator || text.unicodeScalars.last != "-" {
                text.unicodeScalars.append(isSeparator ? "-" : scalar)
            }
        }
        return text
    }

    package func sortKey(of version: String) -> [UInt8] {
        PythonVersion(version)?.sortKey ?? SortKey(unreadable: version).bytes
    }

    package func check(_ manifest: JSON) throws(Refusal) {
        try ManifestRule(texts: ["name", "version", "requires_python"]).check(manifest)
    }
}

/// OCI: a version is a manifest's digest, a tag points at it.
package struct OCIFormat: PackageFormat {
    package let type = "oci"

    package init() {}

    package func check(_ manifest: JSON) throws(Refusal) {
        try ManifestRule(texts: ["mediaType", "artifactType"]).check(manifest)
    }
}

package struct CargoFormat: PackageFormat {
    package let type = "cargo"

    package init() {}

    package func sortKey(of version: String) -> [UInt8] { SemanticVersion.sortKey(of: version) }

    package func check(_ manifest: JSON) throws(Refusal) { try ManifestRule(texts: ["name", "vers"]).check(manifest) }
}

/// Swift: the namespace is the scope.
package struct SwiftFormat: PackageFormat {
    package let type = "swift"

    package init() {}

    package func sortKey(of version: String) -> [UInt8] { SemanticVersion.sortKey(of: version) }

    package func check(_ manifest: JSON) throws(Refusal) { try ManifestRule(texts: ["id", "version"]).check(manifest) }
}

/// Files by path: the name is the path, whose case is kept, a version a revision: 1, 2, … (architecture, section 5).
package struct GenericFormat: PackageFormat {
    package let type = "generic"

    package init() {}

    package func name(namespace: String?, _ name: String) -> PackageName {
        PackageName(type: self.type, namespace: namespace, name: name)
    }

    package func sortKey(of version: String) -> [UInt8] {
        Decimal(version).map(Self.sortKey) ?? SortKey(unreadable: version).bytes
    }

    package static func sortKey(revision: Int) -> [UInt8] {
        Decimal(String(revision)).map(self.sortKey) ?? []
    }

    private static func sortKey(_ revision: Decimal) -> [UInt8] {
        var key = SortKey.readable
        key.append(revision)
        return key.bytes
    }
}

/// Any other type: names without regard to case.
package struct OtherFormat: PackageFormat {
    package let type: String

    package init(type: String) { self.type = type }
}

extension SemanticVersion {
    fileprivate static func sortKey(of text: String) -> [UInt8] {
        SemanticVersion(text)?.sortKey ?? SortKey(unreadable: text).bytes
    }
}
