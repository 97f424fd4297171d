// swift-tools-version: 6.2
// Every target in dependency order: one may depend on those above it only.
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// What Swift's own import of the C library leaves out.
func systemCalls(_ name: String) -> Target { .systemLibrary(name: name, path: "Sources/C/\(name)") }

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil, resources: [Resource]? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", resources: resources,
        swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: house)
}

/// Everything below the binary: for tests that put parts of it together.
let stack: [Target.Dependency] = [
    "Domain", "Threads", "HTTP", "Telemetry", "Cryptography", "HTTPServer", "HTTPClient", "Normalization",
    "Persistence", "PostgreSQL",
    "SQLite", "Storage", "Filesystem", "S3", "Policy", "Registry", "Identity", "API", "Generic", "Worker", "Settings",
    "Commands",
    "Description",
]

let package = Package(
    name: "artifortress",
    targets: [
        library("CPostgreSQL", pkgConfig: "libpq", apt: "libpq-dev"),
        library("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        library("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),
        library("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        library("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        .systemLibrary(  // its pkg-config file asks for a macro that SwiftPM does not pass on, and nothing else
            name: "CUTF8Proc", path: "Sources/C/CUTF8Proc", providers: [.apt(["libutf8proc-dev"])]),
        systemCalls("CLinux"),

        module("Domain"),
        module("Threads", ["Domain"]),
        module("HTTP", ["Domain"]),
        module("Telemetry", ["Domain", "Threads"]),
        module("Cryptography", ["Domain", "COpenSSL"]),
        module("HTTPServer", ["Domain", "HTTP", "Threads", "CLinux", "COpenSSL"]),
        module("HTTPClient", ["Domain", "HTTP", "Threads", "CCurl"]),
        module("Normalization", ["Domain", "CUTF8Proc"]),
        module("Persistence", ["Domain", "Threads", "Cryptography", "Normalization"]),
        module(
            "PostgreSQL", ["Persistence", "Domain", "Threads", "CPostgreSQL"], resources: [.embedInCode("Migrations")]),
        module("SQLite", ["Persistence", "Domain", "Threads", "CSQLite"], resources: [.embedInCode("Migrations")]),
        module("Storage", ["Domain", "HTTP"]),
        module("Filesystem", ["Storage", "Domain", "HTTP", "Threads", "Cryptography", "CLinux"]),
        module("S3", ["Storage", "Domain", "Threads", "HTTP", "HTTPClient", "Cryptography", "CLinux"]),
        module("Policy", ["Domain", "Threads", "HTTP", "HTTPClient", "Cryptography"]),
        module("Registry", ["Domain", "Threads", "HTTP", "Persistence", "Storage", "Cryptography", "Policy"]),
        module("Identity", ["Registry", "Domain", "Threads", "Persistence", "Cryptography"]),
        module(
            "API",
            [
                "Registry", "Identity", "Domain", "Threads", "HTTP", "Persistence", "Storage", "Telemetry",
                "Cryptography",
            ]),
        module(
            "Generic", ["API", "Registry", "Identity", "Domain", "HTTP", "Persistence", "Cryptography"],
            path: "Sources/Ecosystems/Generic"),
        module(
            "Worker", ["Registry", "Domain", "Threads", "HTTP", "HTTPClient", "Persistence", "Storage", "Telemetry"]),
        module("YAML", ["Domain", "CYAML"]),
        module("Description", ["Domain", "YAML"], resources: [.embedInCode("Fragments")]),
        module("Settings", ["Domain", "YAML"]),
        module("Commands", ["Domain"]),
        .executableTarget(name: "artifortress", dependencies: stack, swiftSettings: house),
        .executableTarget(
            name: "http-bench", dependencies: ["HTTPServer", "HTTP"], path: "Tests/HTTPBench", swiftSettings: house),

        tests("DomainTests", ["Domain"]),
        tests("TelemetryTests", ["Telemetry", "Domain", "Threads"]),
        tests("SettingsTests", ["Settings", "Domain"]),
        tests("CommandsTests", ["Commands"]),
        .target(name: "TestSupport", dependencies: stack, path: "Tests/Support", swiftSettings: house),
        tests("HTTPClientTests", ["TestSupport", "HTTPClient", "HTTPServer", "HTTP", "Threads"]),
        tests("PolicyTests", ["TestSupport", "Policy", "HTTPClient", "HTTP", "Domain", "Threads", "Cryptography"]),
        tests("StorageConformance", ["TestSupport"] + stack),
        tests("S3Tests", ["S3", "Domain"]),
        tests("HTTPServerTests", ["HTTPServer", "HTTP", "Domain", "Threads"]),
        tests("DatabaseConformance", ["TestSupport", "CPostgreSQL"] + stack),
        tests("APITests", ["TestSupport", "artifortress"] + stack),
        tests("UploadTests", ["TestSupport"] + stack),
        tests("EndToEnd", ["TestSupport", "artifortress"] + stack),
        tests("Faults", ["TestSupport", "artifortress"] + stack),
    ]
)
