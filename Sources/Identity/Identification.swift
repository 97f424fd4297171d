// What one request has shown about its caller, whichever way its route authenticates: for the audit of rejections, and for
// counting credentials that fail.

package import Domain
package import Registry
import Synchronization

package final class Identification: Sendable {
    private struct State {
        var caller: Caller?
        var failed: UInt64?
    }

    private let state = Mutex(State())
    private let throttle: Throttle?
    private let address: String

    /// - Parameters:
    ///   - throttle: nil if failures do not count.
    ///   - address: of the client.
    package init(throttle: Throttle? = nil, address: String = "") {
        self.throttle = throttle
        self.address = address
    }

    /// Nil if the caller is unknown.
    package var caller: Caller? { self.state.withLock(\.caller) }

    package func found(_ caller: Caller) { self.state.withLock { $0.caller = caller } }

    /// Notes that a credential was looked up and is not valid.
    package func failed(_ credential: Credential) {
        guard let fingerprint = credential.fingerprint else { return }
        self.state.withLock { $0.failed = fingerprint }
    }

    /// Counts the credential that failed, if one did.
    ///
    /// - Returns: nil if the failure may be answered as such.
    package func countFailure() -> Throttle.Excess? {
        guard let failed = self.state.withLock(\.failed) else { return nil }
        return self.throttle?.fail(failed, from: self.address)
    }

    /// Compares a secret that could be guessed, unless the address has guessed too often.
    ///
    /// - Parameter compare: throws `forbidden` or `unauthorized` if the guess is wrong.
    /// - Throws: `Throttle.Excess`; what `compare` throws.
    package func examine<Value>(
        _ guess: Credential, _ compare: () async throws -> Value
    ) async throws -> Value {
        guard let throttle, let fingerprint = guess.fingerprint else { return try await compare() }
        let admission = try throttle.admit(guess: fingerprint, from: self.address)
        do {
            let value = try await compare()
            throttle.end(admission, isFailure: false)
            return value
        } catch {
            let isWrong = (error as? Refusal).map { [.forbidden, .unauthorized].contains($0.reason) } ?? false
            throttle.end(admission, isFailure: isWrong ? true : nil)
            throw error
        }
    }
}
