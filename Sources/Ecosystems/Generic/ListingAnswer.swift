// A folder of a generic repository: a page for browsers, JSON where it is asked for.

import Domain
import HTTP
import Registry

struct ListingAnswer {
    let key: RepoKey
    /// Empty for the root, else with a `/` at its end.
    let folder: String
    let page: DirectoryPage

    func response(to request: Request) -> Response {
        var response = Self.wantsHTML(request.headers) ? self.html : Response.json(200, self.json)
        response.headers.set("Vary", "Accept")
        response.headers.set("Cache-Control", "no-cache")
        response.headers.set("X-Content-Type-Options", "nosniff")
        return response
    }

    /// Whether the client is a browser: it asks for a page, and for JSON later or not at all.
    static func wantsHTML(_ headers: Headers) -> Bool {
        let accepted = headers.all("accept").joined(separator: ",").lowercased()
        guard let html = accepted.firstRange(of: "text/html") else { return false }
        guard let json = accepted.firstRange(of: "application/json") else { return true }
        return html.lowerBound < json.lowerBound
    }

    private var json: JSON {
        [
            "repoKey": .string(self.key.text), "path": .string(self.folder),
            "entries": .array(
                self.page.entries.map { entry in
                    [
                        "name": .string(entry.name), "type": entry.isFolder ? "folder" : "file",
                        "sizeBytes": JSON(entry.length), "sha256": JSON(entry.digest?.hex),
                        "publishedAtUtc": JSON(entry.publishedAt),
                    ]
                }), "next": JSON(self.page.next),
        ]
    }

    private var html: Response {
        let title = Self.escape("/\(self.key)/\(self.folder)")
        var rows = ""
        if !self.folder.isEmpty { rows += "<tr><td><a href=\"../\">../</a></td><td></td><td></td><td></td></tr>\n" }
        for entry in self.page.entries {
            let name = entry.isFolder ? String(Substring(entry.name.utf8.dropLast())) : entry.name
            let link = "./" + Target.encode(segment: name) + (entry.isFolder ? "/" : "")
            rows += """
                <tr><td><a href="\(link)">\(Self.escape(entry.name))</a></td>\
                <td class="n">\(entry.length.map(String.init) ?? "")</td><td>\(entry.publishedAt?.description ?? "")</td>\
                <td><code>\(entry.digest?.hex ?? "")</code></td></tr>

                """
        }
        if let next = self.page.next {
            rows += "<tr><td><a href=\"?after=\(Target.encode(component: next))\">more</a></td></tr>\n"
        }
        let page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title)</title>
            <meta name="viewport" content="width=device-width">
            <style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}\
            td,th{padding:.15rem 1.2rem .15rem 0;text-align:left}.n{text-align:right}code{color:#666}</style></head>
            <body><h1>\(title)</h1>
            <table><thead><tr><th>Name</th><th class="n">Bytes</th><th>Published</th><th>SHA-256</th></tr></thead><tbody>
            \(rows)</tbody></table></body></html>

            """
        return Response(
            200,
            headers: [
                "Content-Type": "text/html; charset=utf-8",
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
            ], body: .bytes(Array(page.utf8)))
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
