// What can go wrong in a store, in words that all stores share. The text is for the log.

import Domain

package enum StorageFault: Fault, Hashable {
    /// No such object or upload.
    case missing(String)
    /// The store refuses our credentials.
    case accessDenied(String, cause: AccessCause = .denied)
    /// No answer, a time-out, or an error of the store's own, also after the retries.
    case unavailable(String, cause: OutageCause = .noAnswer)
    /// No room is left.
    case full(String)
    /// The object is not what its row says: another length, or an end before it.
    case damaged(String)
    /// The object has another SHA-256 than its row says.
    case mismatch(String)
    /// A part is not there, or has another entity tag.
    case invalidPart(String)
    /// The bytes that arrived are more than were announced.
    case tooLarge
    /// The storage's marker is missing, or names another installation.
    case foreign(String)
    case other(String)

    package enum AccessCause: String, CaseIterable, Sendable {
        case denied = "the store denies access"
        case unknownKey = "the store does not know the access key"
        case wrongSecret = "the store rejects the signature: the secret key is wrong"
        case clockSkew = "the store rejects the time of the request: the clock of this machine or of the store is wrong"
    }

    package enum OutageCause: String, CaseIterable, Sendable {
        case noAnswer = "the store does not answer as it should"
        case missingBucket = "the bucket does not exist"
        case insecure = "no trusted TLS connection to the store could be established"
        case unknownHost = "the host name of the store cannot be resolved"
        case refused = "the store cannot be connected to"
        case timedOut = "the store did not answer in time"
    }

    /// What the store said, on one line.
    package var detail: String {
        switch self {
        case .missing(let text), .accessDenied(let text, _), .unavailable(let text, _), .full(let text),
            .damaged(let text), .mismatch(let text), .invalidPart(let text), .foreign(let text), .other(let text):
            FaultText.line(text)
        case .tooLarge: ""
        }
    }

    /// What is wrong, without what the store said: safe for anyone to see.
    package var summary: String {
        switch self {
        case .missing: "the object is missing from the store"
        case .accessDenied(_, let cause): cause.rawValue
        case .unavailable(_, let cause): cause.rawValue
        case .full: "the store has no space left: writes are rejected"
        case .damaged: "the stored object is damaged"
        case .mismatch: "the stored object has another checksum than recorded"
        case .invalidPart: "a part of the upload is missing or has changed"
        case .tooLarge: "the body is longer than announced"
        case .foreign: "the storage does not belong to this installation"
        case .other: "the store cannot be used"
        }
    }

    package var description: String {
        self.detail.isEmpty ? self.summary : "\(self.summary): \(self.detail)"
    }
}
