// PostgreSQL's address: read by libpq's rules, shown without its secrets.

import PostgreSQL
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("postgres://u:s3cret@h:5433/d?sslmode=require", "postgres://u@h:5433/d?sslmode=require"),
        ("postgresql://u@h/d", "postgres://u@h/d"),
        ("postgres://us%40er:p%2Fw%3A@h/my%20db", "postgres://us@er@h/my db"),
        ("postgres://u:s3cret@[::1]:5432/d", "postgres://u@[::1]:5432/d"),
        ("postgres://h1:1,h2:2/d?connect_timeout=9", "postgres://h1,h2:1,2/d?connect_timeout=9"),
        ("postgres://u@h/d?password=s3cret&sslpassword=s3cret", "postgres://u@h/d"),
        ("postgres:///d?host=/run/postgresql", "postgres:///run/postgresql/d"),
    ])
    func `an address is read, and shown without its password`(text: String, shown: String) throws {
        let address = try PostgreSQLAddress(parsing: text)
        #expect(!"\(address)".contains("s3cret"))
        #expect("\(address)" == shown)
    }

    @Test(arguments: [
        "", "host=h dbname=d", "mysql://h/d", "postgres://h:port/d", "postgres://h/d?nonsense=1",
        "postgres://u:%zz@h/d",
    ])
    func `another text is refused, and not repeated`(text: String) {
        let fault = #expect(throws: PostgreSQLAddress.Malformed.self) { try PostgreSQLAddress(parsing: text) }
        #expect(fault.map { "\($0)".contains("%zz") } == false)
    }
}
