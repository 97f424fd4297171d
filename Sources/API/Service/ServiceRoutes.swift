// The service itself: name, liveness, readiness. Shapes: HTTP contract, 3.1 and section 9, row 44.

package import Domain
import HTTP
import Persistence
import Storage
package import Threads

/// Something that the server needs, and how it is doing.
package struct Dependency: Sendable {
    package enum Status: String, Sendable {
        case ready, degraded
        case notReady = "not_ready"
        case notConfigured = "not_configured"
    }

    package let name: String
    package let isEssential: Bool
    /// - Returns: the status, and a text for people where there is something to say.
    package let check: @Sendable () async -> (Status, detail: String?)

    package init(
        _ name: String, isEssential: Bool, check: @escaping @Sendable () async -> (Status, detail: String?)
    ) {
        self.name = name
        self.isEssential = isEssential
        self.check = check
    }

    /// One that is well if `probe` returns. The caller learns the kind of what it throws; the rest is for the log.
    package static func essential(_ name: String, _ probe: @escaping @Sendable () async throws -> Void) -> Dependency {
        Dependency(name, isEssential: true) {
            do {
                try await probe()
                return (.ready, nil)
            } catch {
                return self.status(after: error)
            }
        }
    }

    /// Without space, what is stored can be read: the service is degraded, and says that it rejects writes.
    private static func status(after error: any Error) -> (Status, detail: String?) {
        switch error {
        case DatabaseFault.full: (.degraded, DatabaseFault.full("").summary)
        case StorageFault.full: (.degraded, StorageFault.full("").summary)
        case let fault as DatabaseFault: (.notReady, fault.summary)
        case let fault as StorageFault: (.notReady, fault.summary)
        default: (.notReady, "does not answer")
        }
    }

    package static func notConfigured(_ name: String) -> Dependency {
        Dependency(name, isEssential: false) { (.notConfigured, nil) }
    }
}

package struct ServiceRoutes: Sendable {
    private let environment: String
    private let clock: WallClock
    private let dependencies: [Dependency]

    package init(environment: String, clock: WallClock, dependencies: [Dependency]) {
        self.environment = environment
        self.clock = clock
        self.dependencies = dependencies
    }

    package var routes: [Route] {
        [
            .open("GET", "/") { _ in self.name() },
            .open("GET", "/health/live") { _ in .json(200, ["status": "ok"]) },
            .open("GET", "/health/ready") { _ in await self.ready() },
        ]
    }

    private func name() -> Response {
        .json(
            200,
            [
                "service": "artifortress-api", "environment": .string(self.environment),
                "timestampUtc": JSON(self.clock.now()),
            ])
    }

    private func ready() async -> Response {
        let (status, dependencies) = await self.readiness()
        return .json(
            status == .notReady ? 503 : 200,
            [
                "status": .string(status.rawValue), "checkedAtUtc": JSON(self.clock.now()),
                "dependencies": dependencies,
            ])
    }

    /// The overall status, and every dependency's.
    package func readiness() async -> (Dependency.Status, JSON) {
        let found = await withTaskGroup(of: (Int, Dependency.Status, String?).self) { group in
            for (index, dependency) in self.dependencies.enumerated() {
                group.addTask {
                    let (status, detail) = await dependency.check()
                    return (index, status, detail)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
        }
        var overall = Dependency.Status.ready
        for (index, status, _) in found where status == .degraded || status == .notReady {
            if status == .notReady, self.dependencies[index].isEssential {
                overall = .notReady
            } else if overall == .ready {
                overall = .degraded
            }
        }
        let rows = found.map { index, status, detail -> JSON in
            [
                "name": .string(self.dependencies[index].name),
                "healthy": .bool(status == .ready || status == .notConfigured),
                "essential": .bool(self.dependencies[index].isEssential), "status": .string(status.rawValue),
                "detail": JSON(detail),
            ]
        }
        return (overall, .array(rows))
    }
}
