// Bytes that come through the server: stored while they are hashed. Rules: architecture, I1, I6 and section 7.

package import Cryptography
package import Domain
package import HTTP
package import Storage

/// An object that was received: durable, hashed, and not referred to by anything yet.
package struct Received: Sendable {
    package let key: StorageKey
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    /// Those that were asked for, and all of them where the object is small.
    package let checksums: Checksums
}

package struct Intake: Sendable {
    /// In bytes: up to here the further checksums cost less than coming back for them.
    private static let smallObject = 1 << 20

    private let storage: any BlobStorage
    private let keys: StagingKeys

    package init(storage: any BlobStorage, keys: StagingKeys) {
        self.storage = storage
        self.keys = keys
    }

    /// Takes in a body. It is pulled: a chunk or two are in memory, and a slow store slows the sender.
    ///
    /// - Parameters:
    ///   - wanted: further checksums that the caller is going to compare.
    ///   - allowance: ends a body whose length was not announced as soon as it exceeds the quota.
    /// - Throws: what the body or the storage reports, `too_many_requests` over the allowance; nothing is left then.
    package func receive(
        _ body: RequestBody, wanting wanted: Set<Hash.Function> = [], within allowance: StorageAllowance? = nil
    ) async throws -> Received {
        let key = try await self.keys.take()
        let isSmall = body.length.map { $0 <= Self.smallObject } ?? false
        var functions = isSmall ? [.md5, .sha1, .sha512] : wanted
        functions.remove(.sha256)
        do {
            let writer = try await self.storage.begin(key, length: body.length)
            do {
                var digests = Digests(functions)
                var length = 0
                for try await chunk in body {
                    length += chunk.count
                    try allowance?.admit(Int64(length))
                    async let written: Void = writer.write(chunk)
                    digests.update(chunk.span)
                    try await written
                }
                try await writer.finish()
                let (digest, checksums) = digests.finish()
                return Received(key: key, digest: digest, length: length, checksums: checksums)
            } catch {
                await writer.discard()
                throw error
            }
        } catch {
            try? await self.keys.forget(key)  // else the sweep does
            throw error
        }
    }

    /// Forgets an object that will not be referred to.
    package func discard(_ received: Received) async {
        do {
            try await self.storage.delete(received.key)
            try await self.keys.forget(received.key)
        } catch {
            // The key is still recorded as staged: the sweep deletes the object later.
        }
    }
}
