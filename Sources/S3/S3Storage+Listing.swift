// Pages of keys: objects and unfinished uploads, both of which S3 lists in the order of their names.

package import Domain
package import Storage

extension S3Storage {
    package func list(after: StorageKey?, limit: Int) async throws -> [StoredObject] {
        try await faulting {
            async let objects = self.objects(after: after, limit: limit)
            async let uploads = self.unfinished(after: after, limit: limit)
            var merged: [StoredObject] = []
            for object in (try await objects + uploads).sorted(by: { $0.key < $1.key }) {
                if object.key == merged.last?.key {
                    merged.append(merged.removeLast().joined(with: object))
                } else if merged.count < limit {
                    merged.append(object)
                } else {
                    break
                }
            }
            return merged
        }
    }

    private func key(_ name: String) -> StorageKey? {
        guard name.startsWithBytes(of: self.prefix) else { return nil }
        let key = StorageKey(String(Substring(name.utf8.dropFirst(self.prefix.utf8.count))))
        return key?.text == Installation.name ? nil : key
    }

    /// What is not ours by its name is passed over.
    private func objects(after: StorageKey?, limit: Int) async throws -> [StoredObject] {
        var objects: [StoredObject] = []
        var last = after.map { self.name(of: $0) }
        while true {
            var query = [("list-type", "2"), ("max-keys", String(min(limit, 1000))), ("prefix", self.prefix)]
            if let last { query.append(("start-after", last)) }
            let page = try await self.page(query)
            for entry in page.all("Contents") {
                guard let name = entry["Key"]?.text, let length = entry["Size"].flatMap({ Int($0.text) }),
                    let time = entry["LastModified"].flatMap({ Timestamp(rfc3339: $0.text) })
                else { throw StorageFault.other("S3 listed no object under \(self.prefix)") }
                last = name
                guard let key = self.key(name) else { continue }
                objects.append(StoredObject(key: key, length: length, modifiedAt: time))
            }
            guard page["IsTruncated"]?.text == "true", objects.count < limit, !page.all("Contents").isEmpty else {
                return objects
            }
        }
    }

    private func unfinished(after: StorageKey?, limit: Int) async throws -> [StoredObject] {
        var objects: [StoredObject] = []
        var last = after.map { self.name(of: $0) }
        while true {
            let (uploads, isTruncated) = try await self.uploads(after: last, limit: limit)
            last = uploads.last?.name
            for upload in uploads {
                guard let key = self.key(upload.name) else { continue }
                objects.append(
                    StoredObject(
                        key: key, length: 0, modifiedAt: upload.initiated,
                        uploads: [MultipartUpload(key: key, id: upload.id)]))
            }
            guard isTruncated, objects.count < limit, !uploads.isEmpty else { return objects }
        }
    }

    private struct Upload {
        let name: String
        let id: String
        let initiated: Timestamp
    }

    private func uploads(
        after: String?, limit: Int, prefix: String? = nil
    ) async throws -> (uploads: [Upload], isTruncated: Bool) {
        var query = [
            ("uploads", ""), ("max-uploads", String(min(limit, 1000))), ("prefix", prefix ?? self.prefix),
        ]
        if let after { query.append(("key-marker", after)) }
        let page = try await self.page(query)
        let uploads = try page.all("Upload").map { entry in
            guard let name = entry["Key"]?.text, let id = entry["UploadId"]?.text,
                let time = entry["Initiated"].flatMap({ Timestamp(rfc3339: $0.text) })
            else { throw StorageFault.other("S3 listed no upload under \(self.prefix)") }
            return Upload(name: name, id: id, initiated: time)
        }
        return (uploads, page["IsTruncated"]?.text == "true")
    }

    /// The uploads of one key that have not been completed.
    func uploads(of key: StorageKey) async throws -> [MultipartUpload] {
        let name = self.name(of: key)
        return try await self.uploads(after: nil, limit: 1000, prefix: name).uploads
            .filter { $0.name.hasSameBytes(as: name) }.map { MultipartUpload(key: key, id: $0.id) }
    }

    private func page(_ query: [(name: String, value: String)]) async throws -> XMLElement {
        let answer = try await self.client.send(S3Request(method: "GET", name: "", query: query))
        guard let page = XMLElement(parsing: answer.body) else {
            throw StorageFault.other("S3 listed \(self.prefix) in no XML")
        }
        return page
    }
}
