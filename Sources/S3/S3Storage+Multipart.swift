// Uploads in parts, which clients put straight into the bucket. Rules: "Uploading and copying objects using multipart
// upload" of Amazon S3's documentation; HTTP contract, 3.4.

package import Domain
package import HTTP
package import Storage

extension S3Storage {
    package func beginMultipart(_ key: StorageKey) async throws -> MultipartUpload {
        try await self.claim()
        return try await faulting {
            let answer = try await self.client.send(
                S3Request(method: "POST", name: self.name(of: key), query: [("uploads", "")]))
            guard let id = XMLElement(parsing: answer.body)?["UploadId"]?.text, !id.isEmpty else {
                throw StorageFault.other("S3 named no upload of \(key)")
            }
            return MultipartUpload(key: key, id: id)
        }
    }

    package func presignedPart(
        _ number: Int, of upload: MultipartUpload, validFor seconds: Int, at time: Timestamp
    ) throws -> String? {
        self.client.presigned(self.partRequest(number, of: upload), validFor: seconds, at: time)
    }

    private func partRequest(_ number: Int, of upload: MultipartUpload) -> S3Request {
        S3Request(
            method: "PUT", name: self.name(of: upload.key),
            query: [("partNumber", String(number)), ("uploadId", upload.id)])
    }

    package func putPart(
        _ number: Int, of upload: MultipartUpload, _ body: RequestBody, limit: Int
    ) async throws -> StoredPart {
        if let length = body.length, length > limit { throw StorageFault.tooLarge }
        let spool = self.makeSpool()
        for try await chunk in body {
            guard spool.length + chunk.count <= limit else { throw StorageFault.tooLarge }
            try await spool.append(chunk)
        }
        return try await self.send(try await spool.seal(), as: number, of: upload)
    }

    func send(_ payload: Payload, as number: Int, of upload: MultipartUpload) async throws -> StoredPart {
        try await faulting {
            var request = self.partRequest(number, of: upload)
            (request.payload, request.timeout) = (payload, nil)
            let answer = try await self.client.send(request)
            guard let tag = answer.headers["ETag"] else { throw StorageFault.other("S3 gave a part no entity tag") }
            return StoredPart(number: number, entityTag: Self.unquoted(tag), length: payload.length)
        }
    }

    func put(_ payload: Payload, _ key: StorageKey) async throws {
        try await faulting {
            var request = S3Request(method: "PUT", name: self.name(of: key))
            (request.payload, request.timeout) = (payload, nil)
            _ = try await self.client.send(request)
        }
    }

    private static func unquoted(_ tag: String) -> String {
        let isQuoted = tag.utf8.count >= 2 && tag.startsWithBytes(of: "\"") && tag.endsWithBytes(of: "\"")
        return isQuoted ? String(Substring(tag.utf8.dropFirst().dropLast())) : tag
    }

    package func parts(of upload: MultipartUpload) async throws -> [StoredPart] {
        try await faulting {
            var parts: [StoredPart] = []
            while true {
                let answer = try await self.client.send(
                    S3Request(
                        method: "GET", name: self.name(of: upload.key),
                        query: [
                            ("uploadId", upload.id), ("max-parts", "1000"),
                            ("part-number-marker", String(parts.last?.number ?? 0)),
                        ]))
                guard let page = XMLElement(parsing: answer.body) else {
                    throw StorageFault.other("S3 listed the parts of \(upload.key) in no XML")
                }
                for part in page.all("Part") {
                    guard let number = part["PartNumber"].flatMap({ Int($0.text) }), let tag = part["ETag"]?.text,
                        let length = part["Size"].flatMap({ Int($0.text) })
                    else { throw StorageFault.other("S3 listed no part of \(upload.key)") }
                    parts.append(StoredPart(number: number, entityTag: Self.unquoted(tag), length: length))
                }
                guard page["IsTruncated"]?.text == "true", !page.all("Part").isEmpty else { return parts }
            }
        }
    }

    /// May be called again after it has succeeded: a lost answer is not a lost object.
    @discardableResult
    package func complete(_ upload: MultipartUpload, _ parts: [StoredPart]) async throws -> Bool {
        guard !parts.isEmpty else { throw StorageFault.invalidPart("there are no parts") }
        try await self.claim()
        var document = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            document +=
                "<Part><PartNumber>\(part.number)</PartNumber>"
                + "<ETag>&quot;\(XMLElement.encode(part.entityTag))&quot;</ETag></Part>"
        }
        document += "</CompleteMultipartUpload>"
        let request = S3Request(
            method: "POST", name: self.name(of: upload.key), query: [("uploadId", upload.id)],
            headers: [("content-type", "application/xml")], payload: .bytes(Array(document.utf8)),
            stallTimeout: .seconds(120), timeout: .seconds(600), retryLimit: S3Request.RetryLimit(attempts: 4))
        return try await faulting {
            do {
                try await self.complete(request)
                return true
            } catch let failure as S3Failure {
                // The upload may be over: by an attempt whose answer was lost, or by an abort. (Ceph calls either an
                // internal error.) The object tells which.
                guard failure.code == "NoSuchUpload" || failure.isTransient, try await !self.exists(upload) else {
                    throw failure
                }
                if try await self.length(of: upload.key) != nil { return false }
                throw StorageFault.missing("no upload of \(upload.key): \(failure.code) \(failure.message)")
            }
        }
    }

    /// S3 may fail after it has begun to answer 200: then the document says so.
    private func complete(_ request: S3Request) async throws {
        for attempt in 1... {
            let answer = try await self.client.send(request)
            if XMLElement(parsing: answer.body)?.name == "CompleteMultipartUploadResult" { return }
            let failure = S3Failure(status: 200, document: answer.body, name: "POST \(request.name)")
            guard failure.isTransient, attempt < request.retryLimit.attempts else { throw failure }
            try await Task.sleep(for: Backoff.pause(after: attempt))
        }
    }

    private func exists(_ upload: MultipartUpload) async throws -> Bool {
        do {
            _ = try await self.client.send(
                S3Request(
                    method: "GET", name: self.name(of: upload.key),
                    query: [("uploadId", upload.id), ("max-parts", "1")]))
            return true
        } catch let failure as S3Failure where failure.code == "NoSuchUpload" {
            return false
        }
    }

    package func abort(_ upload: MultipartUpload) async throws {
        try await faulting {
            do {
                _ = try await self.client.send(
                    S3Request(method: "DELETE", name: self.name(of: upload.key), query: [("uploadId", upload.id)]))
            } catch let failure as S3Failure where failure.status == 404 && failure.code != "NoSuchBucket" {}
        }
    }
}
