// Uploads in parts, which the server signs and serves itself. Rules: HTTP contract, 3.4 and section 9, rows 19 and 33.

import Cryptography
package import Domain
import Glibc
package import HTTP
package import Storage
import Synchronization
import Threads

extension FilesystemStorage {
    package func beginMultipart(_ key: StorageKey) async throws -> MultipartUpload {
        let upload = MultipartUpload(key: key, id: PartDirectory.id(of: key))
        let directory = try PartDirectory(upload, self.layout)
        try await self.writers.run {
            try self.installation.verify()
            try directory.make(in: self.directories)
        }
        return upload
    }

    package func presignedPart(
        _ number: Int, of upload: MultipartUpload, validFor seconds: Int, at time: Timestamp
    ) throws -> String? { nil }

    /// The part's bytes are durable when this returns (its name is with the object's). Its entity tag is its SHA-256.
    ///
    /// - Throws: `missing` where the upload has gone; `tooLarge`; what the body throws. Nothing is left then, and a part
    ///   of that number that was there stays.
    package func putPart(
        _ number: Int, of upload: MultipartUpload, _ body: RequestBody, limit: Int
    ) async throws -> StoredPart {
        let directory = try PartDirectory(upload, self.layout)
        guard (1...PartDirectory.partLimit).contains(number) else {
            throw StorageFault.invalidPart("a part's number is from 1 to \(PartDirectory.partLimit), not \(number)")
        }
        if let length = body.length, length > limit { throw StorageFault.tooLarge }
        let name = directory.freshData()
        let file = FileInProgress(
            path: directory.path(name), expected: body.length ?? 0, nil, self.installation)
        let hash = RunningHash()
        let behind = WriteBehind(self.writers) { batch in
            try file.append(batch)
            hash.update(batch)
        }
        do {
            var length = 0
            for try await chunk in body {
                length += chunk.count
                guard length <= limit else { throw StorageFault.tooLarge }
                try await behind.write(chunk)
            }
            let total = length
            return try await behind.finish {
                try file.synchronize()
                let digest = hash.finish()
                try directory.link(number, PartDirectory.Entry(data: name, entityTag: digest.hex))
                return StoredPart(number: number, entityTag: digest.hex, length: total, digest: digest)
            }
        } catch {
            try? await behind.idle()
            try await self.writers.run { file.remove() }
            throw error
        }
    }

    package func parts(of upload: MultipartUpload) async throws -> [StoredPart] {
        let directory = try PartDirectory(upload, self.layout)
        return try await self.readers.run { try directory.parts() }
    }

    /// One part becomes the object by a rename; several are copied behind each other by the kernel. The name must be
    /// free: who was overtaken by another request does not replace what that one made.
    @discardableResult
    package func complete(_ upload: MultipartUpload, _ parts: [StoredPart]) async throws -> Bool {
        let directory = try PartDirectory(upload, self.layout)
        return try await self.writers.run {
            try self.installation.verify()
            let place = directory.place
            var isOurs = false
            if try SystemCall.status(of: place.object) == nil { isOurs = try self.assemble(parts, in: directory) }
            try PartDirectory.remove(place)
            return isOurs
        }
    }

    private func assemble(_ parts: [StoredPart], in directory: PartDirectory) throws(StorageFault) -> Bool {
        guard try directory.exists else { throw .missing("no upload of \(directory.place.key)") }
        guard !parts.isEmpty else { throw .invalidPart("there are no parts") }
        var files: [String] = []
        for part in parts {
            guard let entry = try directory.entry(part.number), entry.entityTag == part.entityTag else {
                throw .invalidPart("part \(part.number) isn't there, or has another entity tag")
            }
            files.append(directory.path(entry.data))
        }
        if files.count == 1 {
            // Its bytes are durable already.
            guard try SystemCall.rename(files[0], toFree: directory.place.object) else { return false }
            try self.directories.synchronize(parentOf: directory.place.object)
            return true
        }
        let path = directory.path("whole.\(UniqueID.random().hex)")
        do {
            var whole = try StagedFile(creating: path, in: nil)
            for file in files {
                let source = try SystemCall.open(file, O_RDONLY)
                defer { close(source) }
                let length = Int(try SystemCall.status(of: source, file).st_size)
                try whole.append(contentsOf: source, length: length)
            }
            let isOurs = try whole.publish(as: directory.place.object, in: self.directories)
            if !isOurs { try SystemCall.remove(path) }
            return isOurs
        } catch {
            _ = try? SystemCall.remove(path)
            throw error
        }
    }

    package func abort(_ upload: MultipartUpload) async throws {
        guard upload.id == PartDirectory.id(of: upload.key) else { return }
        let place = try self.layout.place(of: upload.key)
        try await self.writers.run { try PartDirectory.remove(place) }
    }
}

/// A part's hash, fed on threads of the pool, one at a time.
private final class RunningHash: Sendable {
    private let hash = Mutex<SHA256?>(SHA256())

    func update(_ batch: [[UInt8]]) {
        self.hash.withLock { hash in
            for chunk in batch { hash?.update(chunk.span) }
        }
    }

    func finish() -> BlobDigest {
        self.hash.withLock { hash in hash.take()?.finish() ?? .ofNothing }
    }
}
