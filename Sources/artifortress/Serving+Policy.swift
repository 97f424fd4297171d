// Policies, and what they hold back.

import API
import Domain
import HTTPClient
import Policy
import Registry
import Settings
import Threads

extension Serving {
    var policyRoutes: [Route] {
        let policies = RepositoryPolicies(
            installation: self.configuration[.policyRules], database: self.database, clock: self.clock)
        let evaluating = Evaluating(
            judge: self.policyJudge, allowsDrills: self.configuration[.policyAllowSimulatedTimeout],
            database: self.database, clock: self.clock)
        let quarantining = Quarantining(database: self.database, clock: self.clock)
        let promoting = Promoting(
            database: self.database, gate: self.publishGate, quota: self.admission.storage, clock: self.clock)
        return [
            PolicyRoutes(policies: policies).routes, EvaluationRoutes(evaluating: evaluating).routes,
            QuarantineRoutes(quarantining: quarantining).routes, PromotionRoutes(promoting: promoting).routes,
        ].flatMap(\.self)
    }

    /// Whatever publishes asks it.
    var publishGate: any PublishGate { PolicyGate(judge: self.policyJudge, database: self.database) }

    private var policyJudge: PolicyJudge {
        PolicyJudge(
            installation: self.configuration[.policyRules], server: self.policyServer,
            budget: PolicyBudget(self.policyTimeout, clock: self.steadyClock), steadyClock: self.steadyClock,
            database: self.database, clock: self.clock, observe: self.observation.record)
    }

    private var policyTimeout: Duration { .milliseconds(self.configuration[.policyEvaluationTimeoutMS]) }
}

extension Configuration {
    /// The operator's own server, which may be anywhere: the settings name it, not a user.
    func policyServer(clock: WallClock, _ steadyClock: SteadyClock) -> PolicyServer? {
        guard let url = self[.policyHTTPURL], let secret = self[.policyHTTPSecret] else { return nil }
        return PolicyServer(
            url: url.description, secret: Array(secret.value.utf8),
            timeout: .milliseconds(self[.policyEvaluationTimeoutMS]),
            client: HTTPClient(trusting: .policyHTTPCAFile, in: self), wallClock: clock,
            clock: steadyClock)
    }
}
