package dev.atoll.e2e.net;

import dev.atoll.e2e.node.Command;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/// A certificate authority that nobody trusts who was not told to, made by the JDK's `keytool`.
public final class TestAuthority {
    private static final String PASSWORD = "of no secret";

    private final Path directory;

    private TestAuthority(Path directory) {
        this.directory = directory;
    }

    /// Makes one in an empty directory.
    public static TestAuthority in(Path directory) {
        var authority = new TestAuthority(directory);
        authority.keytool(
                "-genkeypair",
                "-alias",
                "authority",
                "-keyalg",
                "EC",
                "-dname",
                "CN=Test authority " + UUID.randomUUID(),
                "-ext",
                "bc:critical=ca:true",
                "-ext",
                "ku:critical=keyCertSign,cRLSign");
        return authority;
    }

    /// Returns its certificate, as the text that programs are told to trust.
    public String certificate() {
        return keytool("-exportcert", "-rfc", "-alias", "authority");
    }

    /// Returns what a server of a name proves itself with.
    ///
    /// @param names the certificate's subjects, e.g. `dns:origin.test`
    public SSLContext server(String... names) throws GeneralSecurityException, IOException {
        String alias = "server-" + UUID.randomUUID();
        keytool("-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=" + alias);
        Path request = directory.resolve(alias + ".csr");
        Path signed = directory.resolve(alias + ".crt");
        keytool("-certreq", "-alias", alias, "-file", request.toString());
        keytool(
                "-gencert",
                "-alias",
                "authority",
                "-infile",
                request.toString(),
                "-outfile",
                signed.toString(),
                "-ext",
                "san=" + String.join(",", names),
                "-ext",
                "eku=serverAuth");
        keytool("-importcert", "-noprompt", "-alias", alias, "-file", signed.toString());
        return context(alias);
    }

    private SSLContext context(String alias) throws GeneralSecurityException, IOException {
        KeyStore all = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(store())) {
            all.load(file, PASSWORD.toCharArray());
        }
        KeyStore one = KeyStore.getInstance("PKCS12");
        one.load(null, null);
        one.setKeyEntry(
                alias,
                all.getKey(alias, PASSWORD.toCharArray()),
                PASSWORD.toCharArray(),
                all.getCertificateChain(alias));
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(one, PASSWORD.toCharArray());
        var context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private Path store() {
        return directory.resolve("keys.p12");
    }

    private String keytool(String verb, String... words) {
        var all =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin/keytool").toString(),
                                verb,
                                "-keystore",
                                store().toString(),
                                "-storetype",
                                "PKCS12",
                                "-storepass",
                                PASSWORD));
        all.addAll(List.of(words));
        return Command.of(all).run().orThrow("keytool " + verb);
    }
}
