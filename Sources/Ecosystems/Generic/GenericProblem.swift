// Errors in the generic format's form: problem details (RFC 9457) with our code beside them, or plain text where the
// client takes no JSON.

import API
import Domain
import HTTP

enum GenericProblem {
    @Sendable static func response(_ problem: Problem, _ call: Call) -> Response {
        let accepted = call.request.headers.all("accept").joined(separator: ",").lowercased()
        var response: Response
        if accepted.isEmpty || accepted.contains("*/*") || accepted.contains("json") {
            response = .json(
                problem.status,
                .object(
                    [
                        .init("type", "about:blank"), .init("title", .string(problem.code)),
                        .init("status", JSON(problem.status)), .init("detail", .string(problem.message)),
                        .init("error", .string(problem.code)), .init("message", .string(problem.message)),
                    ] + problem.details))
            response.headers.set("Content-Type", "application/problem+json")
        } else {
            response = .text(problem.status, "\(problem.code): \(problem.message)\n")
        }
        if problem.status == 401 { response.headers.challenge() }
        if problem.status == 416, let length = problem.details.first(where: { $0.name == "length" })?.value.integer {
            response.headers.set("Content-Range", "bytes */\(length)")
        }
        return response
    }
}
