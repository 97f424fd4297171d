// How outgoing requests are signed, so that the receiver can authenticate them. Wire form: docs/webhooks.md.

package import Domain

package enum MessageSignature {
    /// The headers that sign a body. The time of sending is part of what is signed, so that an old request cannot be played
    /// again.
    package static func headers(
        of body: [UInt8], at now: Timestamp, key: [UInt8]
    ) -> [(name: String, value: String)] {
        let time = String(now.microseconds / 1_000_000)
        let signature = HMAC.sha256(Array("\(time).".utf8) + body, key: key)
        return [
            ("X-Artifortress-Timestamp", time), ("X-Artifortress-Signature", "v1=\(Hexadecimal.text(of: signature))"),
        ]
    }
}
