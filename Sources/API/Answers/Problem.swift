// How an error becomes an answer: the one place. Shapes: HTTP contract, 1.5; section 9, rows 18 and 41.

package import Domain
package import HTTP
import Persistence
import Storage

/// An error as the wire has it. A fault's own text is not in it: that is for the log.
package struct Problem: Hashable, Sendable {
    package let status: Int
    package let code: String
    package let message: String
    package let details: [JSON.Member]

    package init(_ status: Int, _ code: String, _ message: String, _ details: [JSON.Member] = []) {
        self.status = status
        self.code = code
        self.message = message
        self.details = details
    }

    package init(describing error: any Error) {
        switch error {
        case let refusal as Refusal:
            self.init(refusal.reason.status, refusal.reason.rawValue, refusal.message, refusal.details)
        case let fault as DatabaseFault: self.init(fault)
        case let fault as StorageFault: self.init(fault)
        case HTTPFault.bodyTooLarge: self.init(413, Reason.payloadTooLarge.rawValue, "The body is too large.")
        case HTTPFault.disconnected, is CancellationError:
            self.init(503, Reason.serviceUnavailable.rawValue, "The request was cancelled.")
        default: self.init(500, "internal", "Something went wrong here. The log has it under the correlation id.")
        }
    }

    /// What the server refuses before any route is found.
    package init(refusing status: Int, _ message: String) {
        let code =
            switch status {
            case 408: "request_timeout"
            case 413, 414, 431: Reason.payloadTooLarge.rawValue
            case 417: "expectation_failed"
            case 501: "not_implemented"
            case 505: "version_not_supported"
            case 500...: "internal"
            default: Reason.badRequest.rawValue
            }
        self.init(status, code, message)
    }

    private init(_ fault: DatabaseFault) {
        switch fault {
        case .immutable:
            self.init(409, Reason.conflict.rawValue, "The version is published: it cannot be modified.")
        case .duplicate, .reference:
            self.init(
                409, Reason.conflict.rawValue, "Another request changed the same resource at the same time. Try again.")
        case .readOnly, .accessDenied, .damaged:
            self.init(503, Reason.serviceUnavailable.rawValue, "\(Self.sentence(fault.summary)) Try again later.")
        case .unreadable, .poisoned, .other:
            self.init(500, "internal", "Something went wrong here. The log has it under the correlation id.")
        case .full: self.init(507, Reason.insufficientStorage.rawValue, "The database has no room left.")
        case .unavailable, .commitUnknown, .contention, .statementTimeout, .poolTimeout, .migration:
            self.init(503, Reason.serviceUnavailable.rawValue, "The database does not answer in time. Try again.")
        }
    }

    private init(_ fault: StorageFault) {
        switch fault {
        case .missing: self.init(404, Reason.objectNotFound.rawValue, "The object store lacks the object.")
        case .accessDenied:
            self.init(503, Reason.storageAccessDenied.rawValue, "The object store refuses the server's credentials.")
        case .unavailable(_, .missingBucket):
            self.init(503, Reason.serviceUnavailable.rawValue, "The object store's bucket does not exist.")
        case .full: self.init(507, Reason.insufficientStorage.rawValue, "The object store has no room left.")
        case .tooLarge: self.init(413, Reason.payloadTooLarge.rawValue, "The body is larger than was announced.")
        case .foreign:
            self.init(
                503, Reason.serviceUnavailable.rawValue,
                "The object store is not this installation's: its marker is missing or names another installation.")
        case .damaged, .mismatch, .unavailable, .invalidPart, .other:
            self.init(503, Reason.serviceUnavailable.rawValue, "The object store does not answer as it should.")
        }
    }

    private static func sentence(_ summary: String) -> String {
        "\(summary.prefix(1).uppercased())\(summary.dropFirst())."
    }

    /// Whether it is a server error, which is logged as one.
    package var isFault: Bool { self.status >= 500 }

    /// In seconds, where there is a time to wait for.
    package var retryAfter: Int64? { self.details.last { $0.name == "retryAfterSeconds" }?.value.integer }

    /// `/v1`'s form.
    package var response: Response {
        let members =
            [JSON.Member("error", .string(self.code)), JSON.Member("message", .string(self.message))] + self.details
        var response = Response.json(self.status, .object(members))
        if self.status == 401 { response.headers.challenge() }
        return response
    }
}

extension Headers {
    /// The challenges of a 401. `Basic` comes first: many clients (Python's urllib, Ansible) read only the first one and
    /// know no other scheme.
    package mutating func challenge() {
        self.append("WWW-Authenticate", "Basic realm=\"artifortress\"")
        self.append("WWW-Authenticate", "Bearer realm=\"artifortress\"")
    }
}

extension Reason {
    package var status: Int {
        switch self {  // no `default`
        case .badRequest: 400
        case .unauthorized: 401
        case .forbidden: 403
        case .notFound, .objectNotFound: 404
        case .conflict, .uploadVerificationFailed, .entryMismatch, .coordinateRetired, .confusableName,
            .policyDenied, .idempotencyReplayed, .subjectMismatch:
            409
        case .methodNotAllowed: 405
        case .gone: 410
        case .lengthRequired: 411
        case .preconditionFailed: 412
        case .payloadTooLarge: 413
        case .invalidRange: 416
        case .checksumMismatch, .idempotencyKeyReused, .signatureInvalid: 422
        case .quarantinedBlob, .artifactProtected: 423
        case .tooManyRequests: 429
        case .policyTimeout, .storageAccessDenied, .serviceUnavailable: 503
        case .insufficientStorage: 507
        }
    }
}
