// Where the metadata is.

extension Catalogue {
    static let database: [any AnySetting] = [
        Setting.databaseURL, Setting.databasePoolSize, Setting.databasePooling, Setting.migrateAtStart,
    ]
}

extension Setting where Value == DatabaseURL {
    package static var databaseURL: Self {
        Self(
            "database.url",
            .parsed("postgres://user:password@host:port/name?sslmode=… (libpq URI) or sqlite:PATH", isSecret: true) {
                DatabaseURL($0)
            },
            default: .derived("`sqlite:artifortress.db` in `data`") {
                .sqlite(path: "\($0[.data])/artifortress.db")
            }, "The metadata database.")
    }
}

extension Setting where Value == Int {
    package static var databasePoolSize: Self {
        Self("database.poolSize", .integer(1...200), default: 16, "Connections (PostgreSQL).")
    }
}

extension Setting where Value == DatabasePooling {
    package static var databasePooling: Self {
        Self(
            "database.pooling", .word, default: .direct,
            "`bouncer` behind a transaction pooler such as pgbouncer: no session state is then relied on.")
    }
}

extension Setting where Value == Bool {
    package static var migrateAtStart: Self {
        Self(
            "migrate.atStart", .boolean,
            default: .derived("true on SQLite, false on PostgreSQL") {
                if case .sqlite = $0[.databaseURL] { true } else { false }
            }, "Whether `serve` and `worker` bring the schema up to date, as `artifortress migrate` does.")
    }
}
