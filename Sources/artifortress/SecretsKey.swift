// The key that encrypts secrets at rest: the setting `secrets.key`, or a file in `data` that the first start makes (HTTP
// contract, section 9, row 33).

import Cryptography
import Domain
import Glibc
import Settings

enum SecretsKey {
    /// 32 bytes. Processes that start at the same time agree on one.
    static func load(_ configuration: Configuration) throws -> [UInt8] {
        if let key = try self.known(configuration) { return key }
        let path = self.path(configuration)
        let draft = "\(path).\(UniqueID.random().hex)"
        try BootstrapFile.write(Hexadecimal.text(of: SecureRandom.bytes(32)) + "\n", to: draft)
        defer { _ = unsafe unlink(draft) }
        guard unsafe link(draft, path) == 0 || errno == EEXIST, let key = try self.read(path) else {
            throw Deployment.Failure(description: "cannot make \(path): \(unsafe String(cString: strerror(errno)))")
        }
        return key
    }

    static func path(_ configuration: Configuration) -> String { "\(configuration[.data])/secrets.key" }

    /// The key, if there is one.
    static func known(_ configuration: Configuration) throws -> [UInt8]? {
        if let configured = configuration[.secretsKey] { return configured.bytes }
        return try self.read(self.path(configuration))
    }

    /// Nil if there is no such file.
    private static func read(_ path: String) throws -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Deployment.Failure(description: "cannot read \(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        guard let key = Hexadecimal.bytes(of: text.trimmed), key.count == 32 else {
            throw Deployment.Failure(description: "\(path) must hold 64 hexadecimal digits")
        }
        return key
    }
}
