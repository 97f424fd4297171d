// An object on its way up. What fits one part is one PUT; more is an upload in parts, one sent while the next is
// gathered. Memory: architecture, I6, and Spool.swift.

import Domain
import Storage

actor S3Writer: ObjectWriter {
    /// What an upload has once its first part is full.
    private struct Parts {
        let upload: MultipartUpload
        var stored: [StoredPart] = []
        /// The part that is being sent. It ends with the writer.
        var sending: Task<StoredPart, any Error>?
        var count = 0
    }

    private let storage: S3Storage
    private let key: StorageKey
    /// As announced, in bytes.
    private let length: Int?
    private var spool: Spool
    private var parts: Parts?

    init(_ storage: S3Storage, _ key: StorageKey, length: Int?) {
        self.storage = storage
        self.key = key
        self.length = length
        self.spool = storage.makeSpool()
    }

    deinit { self.parts?.sending?.cancel() }

    /// In bytes. An object has at most ten thousand parts: they grow where its length is not known.
    private var partSize: Int {
        if let length = self.length { return max(S3Storage.partSize, (length / 9_000) & ~0xFFFF + 0x10000) }
        return S3Storage.partSize << ((self.parts?.count ?? 0) / 2000)
    }

    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            var room = self.partSize - self.spool.length
            if room <= 0 {
                try await self.sendPart()
                room = self.partSize
            }
            let piece = rest.prefix(room)
            try await self.spool.append(piece.count == bytes.count ? bytes : Array(piece))
            rest = rest.dropFirst(piece.count)
        }
    }

    private func sendPart() async throws {
        let payload = try await self.spool.seal()
        self.spool = self.storage.makeSpool()
        try await self.awaitSending()
        var parts =
            if let parts = self.parts { parts } else {
                Parts(upload: try await self.storage.beginMultipart(self.key))
            }
        parts.count += 1
        parts.sending = Task { [storage, upload = parts.upload, number = parts.count] in
            try await storage.send(payload, as: number, of: upload)
        }
        self.parts = parts
    }

    private func awaitSending() async throws {
        guard let sending = self.parts?.sending else { return }
        let part = try await withTaskCancellationHandler {
            try await sending.value
        } onCancel: {
            sending.cancel()
        }
        self.parts?.sending = nil
        self.parts?.stored.append(part)
    }

    func finish() async throws {
        do {
            try await self.storage.claim()
            guard self.parts != nil else {
                let payload = try await self.spool.seal()
                return try await self.storage.put(payload, self.key)
            }
            try await self.sendPart()
            try await self.awaitSending()
            if let parts = self.parts { try await self.storage.complete(parts.upload, parts.stored) }
        } catch {
            await self.discard()
            throw error
        }
    }

    func discard() async {
        guard let parts = self.parts else { return }
        parts.sending?.cancel()
        _ = await parts.sending?.result
        self.parts = nil
        // What cannot be aborted now stays for the sweep.
        let (storage, upload) = (self.storage, parts.upload)
        await Task { try? await storage.abort(upload) }.value  // also where we are cancelled
    }
}
