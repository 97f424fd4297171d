// Where the bytes are.

extension Catalogue {
    static let storage: [any AnySetting] = [
        Setting.storageURL, Setting.s3AccessKey, Setting.s3SecretKey, Setting.s3CAFile, Setting.presignPartTTLSeconds,
        Setting.verifyOnRead,
        Setting.uploadSessionTTLMinutes,
    ]
}

extension Setting where Value == StorageURL {
    package static var storageURL: Self {
        Self(
            "storage.url",
            .parsed("file:PATH, or s3://BUCKET/PREFIX?endpoint=http://host:port&region=us-east-1&pathStyle=true") {
                StorageURL($0)
            },
            default: .derived("`file:blobs` in `data`") { .file(path: "\($0[.data])/blobs") },
            "Where blobs are kept. `endpoint` is left out for Amazon's own; `pathStyle` is true where one is given.")
    }
}

extension Setting where Value == Secret? {
    package static var s3AccessKey: Self {
        Self("storage.s3.accessKey", Kind<Secret>.secret.orNone, default: nil, "Access key id; required for s3.")
    }

    package static var s3SecretKey: Self {
        Self("storage.s3.secretKey", Kind<Secret>.secret.orNone, default: nil, "Secret key; required for s3.")
    }
}

extension Setting where Value == String? {
    package static var s3CAFile: Self {
        Self(
            "storage.s3.caFile", Kind<String>.path.orNone, default: nil,
            "PEM file with the certificate authorities to trust for the S3 endpoint, in place of the system's.")
    }
}

extension Setting where Value == Int {
    package static var presignPartTTLSeconds: Self {
        Self(
            "storage.presignPartTtlSeconds", .integer(60...3600), default: 900,
            "How long the signed URL of an upload's part is good for.")
    }

    package static var uploadSessionTTLMinutes: Self {
        Self(
            "uploads.sessionTtlMinutes", .integer(5...10080), default: 60,
            "How long an upload session may stay open before it is aborted.")
    }
}

extension Setting where Value == Bool {
    package static var verifyOnRead: Self {
        Self(
            "storage.verifyOnRead", .boolean, default: false,
            "Hash what is sent and break the connection at a mismatch.")
    }
}
