// What S3 says when it refuses. Rules: "Error Responses" of Amazon S3's API reference.

import Domain
import HTTPClient
import Storage

/// An answer that is no success.
struct S3Failure: Fault {
    let status: Int
    /// `NoSuchKey` and the like; empty where there was no body, as for HEAD.
    let code: String
    let message: String
    let name: String

    init(status: Int, document: [UInt8], name: String) {
        let error = XMLElement(parsing: document)
        self.status = status
        self.name = name
        self.code = error?["Code"]?.text ?? ""
        self.message = error?["Message"]?.text ?? ""
    }

    /// Whether the same request may have better luck.
    var isTransient: Bool {
        switch self.code {
        case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "BadDigest",
            "XAmzContentSHA256Mismatch", "IncompleteBody":
            true
        case "" where self.status == 200: true  // the end of an answer that began well
        default: self.status == 429 || self.status >= 500 && self.status != 501 && self.status != 507
        }
    }

    var description: String { self.fault.description }

    var fault: StorageFault {
        let text = FaultText.line("\(self.name): the store answered \(self.status) \(self.code) \(self.message)")
        switch self.code {
        case "NoSuchBucket": return .unavailable(text, cause: .missingBucket)
        case "InvalidAccessKeyId", "InvalidToken", "ExpiredToken": return .accessDenied(text, cause: .unknownKey)
        case "SignatureDoesNotMatch": return .accessDenied(text, cause: .wrongSecret)
        case "QuotaExceeded": return .full(text)
        case "InvalidPart", "InvalidPartOrder", "EntityTooSmall": return .invalidPart(text)
        case "EntityTooLarge": return .tooLarge
        case "RequestTimeTooSkewed", "RequestExpired": return .accessDenied(text, cause: .clockSkew)
        default: break
        }
        return switch self.status {
        case 404: .missing(text)
        case 401, 403: .accessDenied(text)
        case 416: .damaged(text)
        case 507: .full(text)
        case _ where self.isTransient: .unavailable(text)
        default: .other(text)
        }
    }
}

extension HTTPClientFault {
    /// Whether the same request may have better luck.
    var isTransient: Bool {
        switch self {
        case .connectionLost, .timedOut, .cannotConnect, .malformedAnswer: true
        case .invalidRequest, .unknownHost, .addressRefused, .insecure, .bodyTooLarge, .stopped, .other: false
        }
    }

    var storageFault: StorageFault {
        switch self {
        case .connectionLost(let text), .malformedAnswer(let text), .addressRefused(let text): .unavailable(text)
        case .timedOut(let text): .unavailable(text, cause: .timedOut)
        case .cannotConnect(let text): .unavailable(text, cause: .refused)
        case .unknownHost(let text): .unavailable(text, cause: .unknownHost)
        case .insecure(let text): .unavailable(text, cause: .insecure)
        case .stopped: .unavailable("the S3 client is stopped")
        case .invalidRequest(let text), .other(let text): .other(text)
        case .bodyTooLarge: .other("the store's answer is too long")
        }
    }
}
