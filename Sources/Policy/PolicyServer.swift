// A policy engine of the operator's own, asked over HTTP. Wire form: docs/policy.md. It may be Open Policy Agent, whose
// data API takes what is asked as `input` and gives its answer as `result`.

import Cryptography
package import Domain
import HTTP
package import HTTPClient
package import Threads

package struct PolicyServer: PolicyEngine {
    /// In bytes: of an answer.
    private static let answerLimit = 64 << 10
    /// In bytes: of a manifest; a longer one is left out of the question.
    private static let manifestLimit = 1 << 20
    /// In characters: of a reason.
    private static let reasonLimit = 1000

    private let url: String
    private let secret: [UInt8]
    private let timeout: Duration
    private let client: HTTPClient
    private let wallClock: WallClock
    private let clock: SteadyClock

    /// - Parameters:
    ///   - secret: signs what is asked.
    ///   - timeout: when a call whose caller has stopped waiting is cancelled.
    package init(
        url: String, secret: [UInt8], timeout: Duration, client: HTTPClient, wallClock: WallClock, clock: SteadyClock
    ) {
        self.url = url
        self.secret = secret
        self.timeout = timeout
        self.client = client
        self.wallClock = wallClock
        self.clock = clock
    }

    package func findings(on candidate: PolicyCandidate) async throws -> [PolicyFinding] {
        let start = self.clock.now()
        let answer = try await self.ask(candidate)
        return [
            PolicyFinding(
                rule: answer.rule, origin: .server, check: "server", decision: answer.decision, reason: answer.reason,
                duration: self.clock.now() - start)
        ]
    }

    private func ask(_ candidate: PolicyCandidate) async throws -> Answer {
        var request = self.request(on: candidate)
        request.timeout = self.timeout
        let (status, body): (Int, [UInt8])
        do {
            let response = try await self.client.send(request)
            (status, body) = (response.status, try await response.body.collect(upTo: Self.answerLimit))
        } catch let fault as HTTPClientFault {
            throw PolicyFault.unreliable(fault.description)
        }
        guard status == 200 else { throw PolicyFault.unreliable("it answered \(status)") }
        guard let document = try? JSON(parsing: body) else { throw PolicyFault.unreliable("its answer is no JSON") }
        return try Answer(document["result"] ?? document)
    }

    private func request(on candidate: PolicyCandidate) -> ClientRequest {
        let body = JSON.object([.init("input", candidate.question(manifestLimit: Self.manifestLimit))]).bytes
        var headers: Headers = [
            "Content-Type": "application/json", "Accept": "application/json",
            "X-Correlation-Id": candidate.caller.correlation.description,
        ]
        for (name, value) in MessageSignature.headers(of: body, at: self.wallClock.now(), key: self.secret) {
            headers.append(name, value)
        }
        return ClientRequest("POST", self.url, headers: headers, body: .bytes(body))
    }

    /// What a policy server says.
    private struct Answer {
        let decision: PolicyDecision
        let reason: String?
        let rule: String

        /// - Throws: `PolicyFault` for anything that is not wholly understood.
        init(_ document: JSON) throws(PolicyFault) {
            guard let decision = document["decision"]?.text.flatMap({ PolicyDecision(rawValue: $0) }) else {
                throw .unreliable("its answer has no 'decision' of allow, deny or quarantine")
            }
            let reason = document["reason"]?.text?.trimmedOrNil
            guard decision == .allow || reason != nil else { throw .unreliable("it says no without a 'reason'") }
            let rule = document["rule"]?.text?.trimmedOrNil ?? "policy-server"
            guard JSON([reason ?? "", rule]).storageProblem == nil else {
                throw .unreliable("its answer has a character that can't be kept")
            }
            self.decision = decision
            self.reason = decision == .allow ? nil : reason.map { String($0.prefix(PolicyServer.reasonLimit)) }
            self.rule = String(rule.prefix(64))
        }
    }
}

extension PolicyCandidate {
    /// What a policy server is told.
    fileprivate func question(manifestLimit: Int) -> JSON {
        let package = self.coordinate.package
        let isShort = self.manifest.bytes.count <= manifestLimit
        return [
            "action": .string(self.action.rawValue), "repoKey": .string(self.repo.text),
            "sourceRepoKey": JSON(self.source?.text), "versionId": JSON(self.version),
            "packageType": .string(package.type), "packageNamespace": JSON(package.namespace),
            "packageName": .string(package.name), "version": JSON(self.coordinate.version.trimmedOrNil),
            "subject": .string(self.caller.subject.text), "manifest": isShort ? self.manifest : .null,
            "manifestIsLeftOut": .bool(!isShort),
            "files": .array(
                self.files.first.map { entry in
                    [
                        "relativePath": .string(entry.path.text), "sizeBytes": JSON(entry.length),
                        "sha256": .string(entry.digest.hex), "sha1": JSON(entry.sha1),
                    ]
                }),
            "fileCount": JSON(self.files.count), "totalBytes": JSON(self.files.totalLength),
        ]
    }
}
