// Every code of an error answer. Source: HTTP contract, 1.5 and section 9.

/// Why a request is refused. The raw value is on the wire: a case may be renamed, its text never.
package enum Reason: String, CaseIterable, Sendable {
    case badRequest = "bad_request"
    case unauthorized
    case forbidden
    case notFound = "not_found"
    case objectNotFound = "object_not_found"
    case conflict
    case uploadVerificationFailed = "upload_verification_failed"
    case entryMismatch = "entry_mismatch"
    case coordinateRetired = "coordinate_retired"
    case confusableName = "confusable_name"
    case policyDenied = "policy_denied"
    case idempotencyReplayed = "idempotency_replayed"
    case idempotencyKeyReused = "idempotency_key_reused"
    case subjectMismatch = "subject_mismatch"
    case signatureInvalid = "signature_invalid"
    case checksumMismatch = "checksum_mismatch"
    case preconditionFailed = "precondition_failed"
    case payloadTooLarge = "payload_too_large"
    case invalidRange = "invalid_range"
    case gone
    case lengthRequired = "length_required"
    case methodNotAllowed = "method_not_allowed"
    case quarantinedBlob = "quarantined_blob"
    case artifactProtected = "artifact_protected"
    case tooManyRequests = "too_many_requests"
    case policyTimeout = "policy_timeout"
    case storageAccessDenied = "storage_access_denied"
    case insufficientStorage = "insufficient_storage"
    case serviceUnavailable = "service_unavailable"
}
