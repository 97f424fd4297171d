// What a client, and readiness, is told of a fault: its kind, never the text of the database or of the store.

import API
import Domain
import HTTP
import Persistence
import Storage
import Testing
import Threads

@Suite struct FaultAnswerTests {
    @Test(arguments: [
        (DatabaseFault.unavailable("x"), 503), (.commitUnknown("x"), 503), (.full("x"), 507), (.readOnly("x"), 503),
        (.accessDenied("x"), 503), (.damaged("x"), 503), (.contention("x"), 503), (.statementTimeout("x"), 503),
        (.poolTimeout, 503), (.duplicate(table: "x"), 409), (.reference("x"), 409), (.immutable("x"), 409),
        (.unreadable("x"), 500), (.poisoned, 500), (.migration("x"), 503), (.other(code: "x", "x"), 500),
    ])
    func `a database fault has its status`(fault: DatabaseFault, status: Int) {
        #expect(Problem(describing: fault).status == status)
    }

    @Test(arguments: [
        (StorageFault.missing("x"), 404, "object_not_found"), (.accessDenied("x"), 503, "storage_access_denied"),
        (.accessDenied("x", cause: .clockSkew), 503, "storage_access_denied"),
        (.unavailable("x"), 503, "service_unavailable"),
        (.unavailable("x", cause: .missingBucket), 503, "service_unavailable"),
        (.full("x"), 507, "insufficient_storage"), (.damaged("x"), 503, "service_unavailable"),
        (.other("x"), 503, "service_unavailable"),
    ])
    func `a storage fault has its status and code`(fault: StorageFault, status: Int, code: String) {
        let problem = Problem(describing: fault)
        #expect(problem.status == status && problem.code == code)
    }

    private func readiness(after fault: any Error) async -> (status: String, detail: String) {
        let routes = ServiceRoutes(
            environment: "test", clock: .system, dependencies: [.essential("store") { throw fault }])
        let (status, document) = await routes.readiness()
        return (status.rawValue, document.elements?.first?["detail"]?.text ?? "")
    }

    @Test func `readiness names the cause, and nothing else of the fault`() async {
        let secret = "http://10.0.0.7/internal"
        for cause in StorageFault.OutageCause.allCases {
            let told = await self.readiness(after: StorageFault.unavailable(secret, cause: cause))
            #expect(told.status == "not_ready" && told.detail == cause.rawValue)
        }
        for cause in StorageFault.AccessCause.allCases {
            let told = await self.readiness(after: StorageFault.accessDenied(secret, cause: cause))
            #expect(told.status == "not_ready" && told.detail == cause.rawValue)
        }
        let readOnly = await self.readiness(after: DatabaseFault.readOnly(secret))
        #expect(readOnly.status == "not_ready" && readOnly.detail == "the database is read-only: writes are rejected")
        for fault in [DatabaseFault.full(secret), StorageFault.full(secret)] as [any Error] {
            let told = await self.readiness(after: fault)
            #expect(told.status == "degraded" && told.detail.hasSuffix("writes are rejected"))
        }
    }
}
