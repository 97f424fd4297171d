// A handler that shows each way of answering, by the path's first segment.

import HTTP

@Sendable func route(_ request: Request) async throws -> Response {
    switch request.target.segments?.first {
    case "count":
        var count = 0
        for try await chunk in request.body { count += chunk.count }
        return .text(201, "\(count)\n")
    case "refuse": return .text(401, "who?\n")
    case "refuse-slowly":
        await reallyWait()
        return .text(401, "who?\n")
    case "late":
        for try await _ in request.body { break }
        return .text(409, "enough\n")
    case "stream":
        return Response(200, body: .stream(length: nil) { for _ in 0..<3 { try await $0.write(Array("abc".utf8)) } })
    case "short":
        return Response(200, body: .stream(length: 10) { try await $0.write(Array("abc".utf8)) })
    case "broken":
        return Response(
            200,
            body: .stream(length: nil) {
                try await $0.write(Array("abc".utf8))
                throw CancellationError()
            })
    case "fail": throw CancellationError()
    case "none": return Response(204)
    case "later":
        await reallyWait()
        return .text(200, "\(request.target)\n")
    default: return .text(200, "\(request.method) \(request.target.segments ?? ["?"])\n")
    }
}
