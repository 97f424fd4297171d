// What all operations share: introduction, ways to prove who one is, parameters of paths, headers, the error body.
// Rules: HTTP contract, section 1; section 9, rows 17, 18 and 20.

import Domain

extension APIDescription {
    static let info: JSON = [
        "title": "Artifortress", "version": "1",
        "description": """
        The HTTP interface of Artifortress. Property names in request bodies are matched in any letter case, unknown ones \
        are ignored, numbers may also be strings. Keys of answers are always there, with null for what is absent, unless a \
        key is marked as optional. `HEAD` is answered wherever `GET` is; a path that is none of these gives 404, a method \
        that a path doesn't have 405 with `Allow`, both with an empty body. Every answer has `X-Correlation-Id`: the \
        request's own where that is a UUID.
        """,
    ]

    static let securitySchemes: JSON = [
        "bearer": ["type": "http", "scheme": "bearer", "description": "A personal access token."],
        "basic": [
            "type": "http", "scheme": "basic", "description": "Any user name, and a token as the password.",
        ],
        "bootstrap": [
            "type": "apiKey", "in": "header", "name": "X-Bootstrap-Token",
            "description": "Of a new installation: data/bootstrap-token, or the setting auth.bootstrapToken.",
        ],
    ]

    static let headers: JSON = [
        "X-Correlation-Id": [
            "description": "Names the request in the log and the audit log.", "required": true,
            "schema": ["$ref": "#/components/schemas/Id"],
        ]
    ]

    /// Places in paths whose names say what may stand there.
    static let parameters: [JSON.Member] = [
        Self.parameter("repoKey", ["$ref": "#/components/schemas/RepoKey"], "The repository."),
        Self.parameter("digest", ["$ref": "#/components/schemas/Digest"], "The SHA-256 of the bytes."),
        Self.parameter(
            "subject", ["type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z0-9@._-]+$"],
            "A person or a machine; trimmed and lower-cased."),
        .init(
            "Idempotency-Key",
            [
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "The same request under the same key is done once, and answered the same for 24 hours.",
                "schema": ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"],
            ]),
    ]

    static func parameter(_ name: String, _ schema: JSON, _ about: JSON) -> JSON.Member {
        .init(name, ["name": .string(name), "in": "path", "required": true, "description": about, "schema": schema])
    }

    static let commonSchemas: [JSON.Member] = [
        .init("Id", ["type": "string", "format": "uuid"]),
        .init("Time", ["type": "string", "format": "date-time", "description": "UTC, to the microsecond."]),
        .init("RepoKey", ["type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,127}$"]),
        .init(
            "Digest",
            ["type": "string", "pattern": "^[0-9a-f]{64}$", "description": "A SHA-256, in lower-case hexadecimal."]),
        .init(
            "Problem",
            [
                "type": "object", "required": ["error", "message"],
                "description": "Some codes bring further keys.",
                "properties": [
                    "error": ["type": "string", "description": "A code for programs."],
                    "message": ["type": "string", "description": "For people: what is wrong, and what is allowed."],
                ],
            ]),
    ]
}
