// Which errors an operation may answer, and how they look. Source: HTTP contract, 1.5.

import Domain

enum ErrorAnswer {
    private static let names: [(status: Int, name: String, meaning: String)] = [
        (400, "BadRequest", "`bad_request`: a malformed path, query, header or body."),
        (401, "Unauthorized", "`unauthorized`: missing or invalid token."),
        (403, "Forbidden", "`forbidden`: the role that is needed is missing."),
        (404, "NotFound", "`not_found`, `object_not_found`: there is none, or none that the caller may know of."),
        (409, "Conflict", "`conflict` and others: the present state does not allow it."),
        (410, "Gone", "`gone`: no longer kept."),
        (411, "LengthRequired", "`length_required`: the request has neither `Content-Length` nor chunks."),
        (412, "PreconditionFailed", "`precondition_failed`: a condition of the request does not hold."),
        (413, "PayloadTooLarge", "`payload_too_large`: the body is too long."),
        (416, "InvalidRange", "`invalid_range`: the range is beyond the end."),
        (
            422, "Unprocessable",
            "`idempotency_key_reused`, `checksum_mismatch`, `signature_invalid`: the content contradicts what was announced."
        ),
        (423, "Locked", "`quarantined_blob`, `artifact_protected`: withheld."),
        (429, "TooManyRequests", "`too_many_requests`: a limit is reached; `Retry-After` says for how long."),
        (503, "Unavailable", "`service_unavailable` and its kin: try again."),
        (507, "InsufficientStorage", "`insufficient_storage`: no room is left."),
    ]

    /// The answers of operations whose errors have the usual form.
    static let components: [JSON.Member] = names.map { status, name, meaning in
        .init(
            name,
            Self.answer(
                status, meaning, content: ["application/json": ["schema": ["$ref": "#/components/schemas/Problem"]]]))
    }

    /// - Parameter content: nil for the usual form.
    static func document(_ status: Int, content: JSON?) throws -> JSON {
        guard let found = Self.names.first(where: { $0.status == status }) else {
            throw FragmentFault("\(status) is no error that is known")
        }
        guard let content else { return ["$ref": .string("#/components/responses/\(found.name)")] }
        return self.answer(status, found.meaning, content: content)
    }

    private static func answer(_ status: Int, _ meaning: String, content: JSON) -> JSON {
        var headers: [JSON.Member] = [.init("X-Correlation-Id", ["$ref": "#/components/headers/X-Correlation-Id"])]
        if status == 401 {
            headers.append(.init("WWW-Authenticate", ["required": true, "schema": ["type": "string"]]))
        }
        return [
            "description": .string(meaning), "headers": .object(headers), "content": content,
        ]
    }

    /// What an operation may answer beside what its fragment says.
    static func usual(for operation: Operation) -> Set<Int> {
        var statuses: Set<Int> = [400, 429]
        let isMutation = operation.method != "GET"
        if operation.method == "PUT" { statuses.insert(411) }
        if operation.access != "anyone" { statuses.formUnion([401, 403, 503]) }
        if operation.access == "token" && !isMutation { statuses.remove(403) }
        if ["{repoKey}", "Id}"].contains(where: operation.pattern.contains) { statuses.insert(404) }
        if operation.hasBody { statuses.insert(413) }
        if operation.isRepeatable { statuses.formUnion([409, 413, 422]) }
        return statuses
    }
}
