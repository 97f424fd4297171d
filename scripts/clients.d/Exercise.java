// Exercises the server through java.net.http.HttpClient. Usage: TOKEN=T java Exercise.java BASE FILE AUTHORITY

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class Exercise {
    static String base;
    static HttpClient client;

    static HttpRequest.Builder request(String name, boolean authorized) {
        var builder = HttpRequest.newBuilder(URI.create(base + name)).timeout(Duration.ofSeconds(60));
        var credentials = "java:" + System.getenv("TOKEN");
        var encoded = Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
        return authorized ? builder.header("Authorization", "Basic " + encoded) : builder;
    }

    static HttpResponse<byte[]> send(HttpRequest request) throws Exception {
        return client.send(request, BodyHandlers.ofByteArray());
    }

    static void expect(Object actual, Object expected, String what) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError(what + ": expected " + expected + ", got " + actual);
        }
    }

    static void put(String name, BodyPublisher body, boolean waits) throws Exception {
        var answer = send(request(name, true).expectContinue(waits).PUT(body).build());
        expect(answer.statusCode(), 201, "PUT " + name);
        expect(answer.version(), HttpClient.Version.HTTP_1_1, "version");
    }

    public static void main(String[] arguments) throws Exception {
        base = arguments[0];
        var content = Files.readAllBytes(Path.of(arguments[1]));
        var builder = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10));
        if (base.startsWith("https:")) {
            var store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            try (var stream = Files.newInputStream(Path.of(arguments[2]))) {
                store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(stream));
            }
            var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            var context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            builder.sslContext(context);
        }
        client = builder.build();

        put("/by-java", BodyPublishers.ofFile(Path.of(arguments[1])), false);
        put("/by-java-expected", BodyPublishers.ofByteArray(content), true);
        put("/by-java-chunked", BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(content)), false);
        for (var suffix : List.of("", "-expected", "-chunked")) {
            var answer = send(request("/by-java" + suffix, true).build());
            expect(answer.statusCode(), 200, "GET" + suffix);
            expect(Arrays.equals(answer.body(), content), true, "bytes of GET" + suffix);
        }
        var head = send(request("/by-java", true).method("HEAD", BodyPublishers.noBody()).build());
        expect(head.statusCode(), 200, "HEAD");
        expect(head.headers().firstValueAsLong("Content-Length").getAsLong(), (long) content.length, "length of HEAD");
        var tag = head.headers().firstValue("ETag").get();
        expect(send(request("/by-java", true).header("If-None-Match", tag).build()).statusCode(), 304, "unchanged");
        var range = send(request("/by-java", true).header("Range", "bytes=10-1009").build());
        expect(range.statusCode(), 206, "range");
        expect(Arrays.equals(range.body(), Arrays.copyOfRange(content, 10, 1010)), true, "bytes of the range");
        expect(send(request("/by-java-none", true).build()).statusCode(), 404, "GET of nothing");
        var rejected = send(request("/rejected", false).PUT(BodyPublishers.ofByteArray(new byte[100_000])).build());
        expect(rejected.statusCode(), 401, "PUT without a token");
        // Not with `expectContinue`: Java 17 then never returns, whatever server rejects the request.

        var answers = new ArrayList<CompletableFuture<HttpResponse<byte[]>>>();
        for (var number = 0; number < 20; number++) {
            answers.add(client.sendAsync(request("/tree/awkward", true).build(), BodyHandlers.ofByteArray()));
        }
        for (var answer : answers) {
            expect(answer.get().body().length, 100_000, "GET, twenty at once");
        }
        System.exit(0);
    }
}
