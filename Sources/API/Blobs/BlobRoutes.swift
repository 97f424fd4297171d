// Bytes by their digest, through one repository. Rules: HTTP contract, 3.4 and section 9, rows 17 and 33.

import Domain
import HTTP
package import Registry

package struct BlobRoutes: Sendable {
    private let resolving: Resolving
    private let files: FileAnswer

    package init(resolving: Resolving, files: FileAnswer) {
        self.resolving = resolving
        self.files = files
    }

    package var routes: [Route] {
        [
            .own(
                "GET", "/v1/repos/{repoKey}/blobs/{digest}", "read, or a repository that everyone may read",
                check: Self.checkRange
            ) { call, _ in try await self.get(call) }
        ]
    }

    /// A malformed range is rejected before the caller is authenticated. HEAD ignores it.
    private static func checkRange(_ call: Call) throws {
        if call.request.method == "GET" { _ = try ByteRange(parsing: call.request.headers["range"]) }
    }

    private func get(_ call: Call) async throws -> Response {
        let digest = try BlobDigest(parsing: call.values["digest"] ?? "")
        let blob = try await self.resolving.blob(
            digest, in: call.repoKey, for: call.credential, correlation: call.correlation)
        return try await self.files.respond(FileDescription(blob), to: call.request)
    }
}
