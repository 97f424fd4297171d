// The server put together: which use case gets which store, which route which use case.

import API
import Domain
import HTTP
import HTTPServer
import Identity
import Persistence
import Policy
import Registry
import Settings
import Storage
import Telemetry
import Threads
import Worker

struct Serving: Sendable {
    let deployment: Deployment
    let observation: Observation
    /// Shared, since it has recorded keys in hand.
    let stagingKeys: StagingKeys
    /// Threads that read stored bytes for checksums.
    let readers = BlockingPool(threads: 2)
    /// Shared: everything that recognizes tokens notes their use.
    let tokenUses: TokenUses
    let throttle: Throttle
    let feedEnd = FeedEnd()
    let steadyClock: SteadyClock
    /// Shared, for its connections.
    let policyServer: PolicyServer?

    /// - Parameter steadyClock: measures the time that a policy's verdict takes.
    init(_ deployment: Deployment, _ observation: Observation, steadyClock: SteadyClock = .system) {
        self.steadyClock = steadyClock
        self.policyServer = deployment.configuration.policyServer(clock: deployment.clock, steadyClock)
        self.deployment = deployment
        self.observation = observation
        observation.watch(deployment.database)
        self.stagingKeys = StagingKeys(
            database: deployment.database, clock: deployment.clock, owner: deployment.instance)
        self.tokenUses = TokenUses(database: deployment.database, clock: deployment.clock)
        self.throttle = Throttle(deployment.configuration, clock: deployment.clock)
    }

    /// Logs a failure beside the requests, by the name of what has failed.
    var report: @Sendable (String, any Error) -> Void {
        let log = self.observation.log
        return { log.error("\($0) failed", because: $1) }
    }

    var database: any Database { self.deployment.database }
    var storage: any BlobStorage { self.deployment.storage }
    var clock: WallClock { self.deployment.clock }
    var configuration: Configuration { self.deployment.configuration }

    /// Every route, an area at a time: one property of an area's own file each.
    var routes: [Route] {
        [
            self.serviceRoutes, self.descriptionRoutes, self.identityRoutes, self.repositoryRoutes, self.uploadRoutes,
            self.packageRoutes, self.policyRoutes, self.genericRoutes, self.searchRoutes, self.webhookRoutes,
        ].flatMap(\.self)
    }

    /// What the network reaches.
    var application: Application { self.application(serving: self.routes) }

    /// What the machine's administrator reaches.
    var localApplication: Application { self.application(serving: self.routes + self.localRoutes) }

    /// The same for a verb in this process, which prints its own output.
    var quietLocalApplication: Application { self.application(serving: self.localRoutes, observe: { _ in }) }

    private func application(
        serving routes: [Route], observe: (@Sendable (Outcome) -> Void)? = nil
    ) -> Application {
        let observation = self.observation
        return Application(
            routes: routes, authenticator: self.authenticator, database: self.database, clock: self.clock,
            defaultTenant: self.deployment.defaultTenant, throttle: self.throttle,
            forwarding: Forwarding(self.configuration),
            observe: observe ?? observation.record)
    }

    var authenticator: Authenticator {
        Authenticator(database: self.database, clock: self.clock, uses: self.tokenUses)
    }

    /// The way to everything that is published.
    var resolving: Resolving {
        Resolving(
            database: self.database, clock: self.clock, defaultTenant: self.deployment.defaultTenant,
            uses: self.tokenUses)
    }

    private var serviceRoutes: [Route] {
        let routes = ServiceRoutes(
            environment: self.configuration[.environment], clock: self.clock, dependencies: self.dependencies
        ).routes
        guard self.configuration[.metricsListen] == nil, let token = self.configuration[.metricsToken] else {
            return routes
        }
        return routes + [self.observation.route(opensWith: token.value)]
    }

    private var dependencies: [Dependency] {
        let (database, storage) = (self.deployment.database, self.deployment.storage)
        return [
            .essential(database.name) { try await database.check() },
            .essential("object_storage") { try await storage.check() },
            .notConfigured("oidc_jwks"), .notConfigured("saml_metadata"), .notConfigured("redis"),
            .notConfigured("telemetry"),
        ]
    }

    /// The HTTP interface.
    ///
    /// - Parameter ready: called with the address that is listened on.
    func listen(ready: @escaping @Sendable (Server.Address) -> Void) async throws {
        let configuration = self.configuration
        var settings = Server.Configuration()
        settings.address = .tcp(host: configuration[.listen].host, port: configuration[.listen].port)
        settings.bodyLimit = configuration[.httpMaxBodyBytes]
        settings.connectionLimit = configuration[.httpMaxConnections]
        settings.addressLimit = configuration[.httpMaxConnectionsPerAddress]
        let proxies = configuration[.trustedProxies]
        settings.isExempt = { text in
            guard let address = NetworkAddress(text) else { return false }
            return proxies.contains { $0.contains(address) }
        }
        settings.idleTimeout = .seconds(configuration[.httpIdleSeconds])
        settings.headTimeout = settings.idleTimeout
        settings.drainTimeout = .seconds(configuration[.httpDrainSeconds])
        settings.threads = configuration[.httpThreads]
        settings.refusal = { status, message in
            var response = Problem(refusing: status, message).response
            response.headers.set("X-Correlation-Id", UniqueID.random().description)
            return response
        }
        let observation = self.observation
        settings.observe = { observation.record($0) }
        let application = self.application
        let source = configuration.source(of: .listen)
        try await configuration.naming("listen", settings.address, from: source) { [settings] in
            var settings = settings
            settings.tls = try Server.TLS(configuration)
            let server = Server(settings, statistics: observation.statistics)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await server.run(ready: ready) { request in await application.respond(to: request) }
                }
                group.addTask { await ReloadSignal.each { server.reload(configuration, observation.log) } }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    /// `GET /metrics` on an address of its own, where the settings have one.
    func listenForMonitoring() async throws {
        guard let address = self.configuration[.metricsListen] else { return }
        var server = Server.Configuration()
        server.address = .tcp(host: address.host, port: address.port)
        server.threads = 1
        let application = Application(
            routes: [self.observation.route(opensWith: self.configuration[.metricsToken]?.value)],
            authenticator: self.authenticator, database: self.database, clock: self.clock,
            defaultTenant: self.deployment.defaultTenant, throttle: self.throttle,
            forwarding: Forwarding(self.configuration), observe: { _ in })
        let log = self.observation.log
        let source = self.configuration.source(of: .metricsListen)
        try await self.configuration.naming("metrics.listen", server.address, from: source) { [server] in
            try await Server(server).run(
                ready: { log.info("metrics", ["address": "\($0)"]) },
                handler: { request in await application.respond(to: request) })
        }
    }

    /// The background work, a kind each.
    var sweeps: [Sweep] {
        let sweep = ObjectSweep(database: self.database, storage: self.storage, clock: self.clock)
        let keys = IdempotencySweep(database: self.database, clock: self.clock)
        return [
            Sweep("object sweep", every: .seconds(30)) { try await sweep.run() },
            Sweep("idempotency sweep", every: .seconds(600)) { try await keys.run() },
        ] + self.uploadSweeps + self.packageSweeps + self.workerSweeps
    }

    var background: [any Service] {
        self.sweeps.map { self.repeating($0) } + [self.searchService, self.webhookDelivery, self.queueWatch]
    }

    /// Signs of life, for every process whatever its roles: what one without them has staged is swept by another.
    var heartbeat: any Service {
        let sweep = ObjectSweep(database: self.database, storage: self.storage, clock: self.clock)
        let instance = self.deployment.instance
        return self.repeating(Sweep("heartbeat", every: .seconds(10)) { try await sweep.recordHeartbeat(instance) })
    }

    private func repeating(_ sweep: Sweep) -> any Service {
        Periodic(sweep.name, every: sweep.interval, report: self.report, work: sweep.once)
    }
}

/// A kind of background work.
struct Sweep: Sendable {
    let name: String
    let interval: Duration
    /// One round.
    let once: @Sendable () async throws -> Void

    init(_ name: String, every interval: Duration, _ once: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.interval = interval
        self.once = once
    }
}

/// A service that is one call.
struct Running: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await self.body() }
}
