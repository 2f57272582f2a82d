// A merchant's whole client. Needs Java 17 or newer and no library. Copy it and make it yours.
// java Merchant.java KIT CLIENT check PERK CODE FEN | order PERK CODE FEN NUMBER    ask; or go through a whole order
// java Merchant.java KIT CLIENT webhook SECRET ID TIMESTAMP SIGNATURE BODY    did the city send this?
import java.net.*; import java.net.http.*; import java.nio.file.*; import java.security.*; import java.security.spec.*;
import java.time.*; import java.util.*; import java.util.concurrent.Callable; import java.util.regex.*; import javax.crypto.Mac;
public class Merchant {
    static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static String nonce = "", access = "", base, issuer, id, me; // nonce: the server's, for DPoP; me: our part of the kit
    static long until; static PrivateKey key;
    static String b64(byte[] raw) { return Base64.getUrlEncoder().withoutPadding().encodeToString(raw); }
    static byte[] unb64(String text) { return Base64.getUrlDecoder().decode(text); }
    static long now() { return Instant.now().getEpochSecond(); }
    static String in(String json, String name) { // a member; the JDK reads no JSON: use your own reader in earnest
        var found = Pattern.compile('"' + name + "\"\\s*:\\s*(\"[^\"]*\"|\\[[^\\]]*\\]|\\w+)").matcher(json);
        return found.find() ? found.group(1).replaceAll("[\"\\[\\]\\s]", "") : ""; }
    static String sign(String header, String claims) throws Exception { // a JWT (RFC 7515), used once
        var text = b64(("{\"alg\":\"ES256\"," + header + "}").getBytes()) + "."
            + b64("{\"jti\":\"%s\",\"iat\":%d,%s}".formatted(UUID.randomUUID(), now(), claims).getBytes());
        var by = Signature.getInstance("SHA256withECDSAinP1363Format");
        by.initSign(key); by.update(text.getBytes());
        return text + "." + b64(by.sign()); }
    static String proof(String url, String token) throws Exception { // that we hold the key (RFC 9449): afresh each time
        var ath = b64(MessageDigest.getInstance("SHA-256").digest(token.getBytes()));
        var jwk = "\"typ\":\"dpop+jwt\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}";
        return sign(jwk.formatted(in(me, "x"), in(me, "y")), "\"htm\":\"POST\",\"htu\":\"" + url + '"'
            + (nonce.isEmpty() ? "" : ",\"nonce\":\"" + nonce + '"') + (token.isEmpty() ? "" : ",\"ath\":\"" + ath + '"')); }
    static HttpResponse<String> send(String path, String kind, Callable<String> body, String repeat, String token) throws Exception {
        for (int turn = 0; turn < 8; turn++) { // again with the same key until there is an answer
            var ask = HttpRequest.newBuilder(URI.create(base + path)).POST(HttpRequest.BodyPublishers.ofString(body.call()))
                .headers("Content-Type", kind, "Idempotency-Key", repeat, "DPoP", proof(base + path, token)).timeout(Duration.ofSeconds(10));
            if (!token.isEmpty()) ask.header("Authorization", "DPoP " + token);
            long wait = 1 << turn;
            try {
                var got = HTTP.send(ask.build(), HttpResponse.BodyHandlers.ofString());
                nonce = got.headers().firstValue("DPoP-Nonce").orElse(nonce);
                if (got.body().contains("use_dpop_nonce")) continue; // told the nonce: the same with it
                if (got.statusCode() < 500 && !in(got.body(), "retryable").equals("true")) return got;
                wait = got.headers().firstValueAsLong("Retry-After").orElse(wait);
            } catch (java.io.IOException error) { } // nothing heard for 10 s: perhaps it was done, perhaps not
            Thread.sleep(1000 * wait); }
        throw new Exception("No answer yet: use your standard route, and send the same with the same key later."); }
    static String form() throws Exception { // who we are (RFC 7523); an assertion is used once
        var claims = "\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"exp\":%d".formatted(id, id, issuer, now() + 60);
        return "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&grant_type=client_credentials&scope="
            + in(me, "scopes").replace(',', '+') + "&client_assertion=" + sign("\"kid\":\"" + in(me, "kid") + '"', claims); }
    static String call(String path, String body, String repeat) throws Exception { // the key stays the same when repeated
        if (now() > until) { // a token is good for five minutes
            var told = send("/oauth/token", "application/x-www-form-urlencoded", Merchant::form, repeat, "").body();
            access = in(told, "access_token"); until = now() + Long.parseLong(in(told, "expires_in")) - 20; }
        var got = send(path, "application/json", () -> body, repeat, access);
        System.out.println(got.statusCode() + " " + got.body()); if (got.statusCode() >= 300) System.exit(1);
        return got.body(); }
    static String receipt(String text) throws Exception { // what the city signed, for your files (RFC 7515, EdDSA)
        var keys = new String(new URL(base + "/.well-known/jwks.json").openStream().readAllBytes());
        var ours = Arrays.stream(keys.split("}")).filter(one -> in(one, "kid").equals("rcpt-1")).findFirst().get();
        var spki = HexFormat.of().parseHex("302a300506032b6570032100" + HexFormat.of().formatHex(unb64(in(ours, "x")))); // RFC 8410
        var by = Signature.getInstance("Ed25519"); by.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(spki)));
        by.update(text.substring(0, text.lastIndexOf('.')).getBytes());
        return by.verify(unb64(text.split("\\.")[2])) ? new String(unb64(text.split("\\.")[1])) : ""; }
    static boolean genuine(String secret, String name, String moment, String signatures, String body) throws Exception {
        var mac = Mac.getInstance("HmacSHA256"); mac.init(new javax.crypto.spec.SecretKeySpec(Base64.getDecoder().decode(secret.substring(6)), "HmacSHA256"));
        var good = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal((name + '.' + moment + '.' + body).getBytes()))).getBytes();
        var same = Arrays.stream(signatures.split(" ")).anyMatch(one -> MessageDigest.isEqual(one.getBytes(), good));
        return same && Math.abs(now() - Long.parseLong(moment)) < 300; }
    public static void main(String[] w) throws Exception {
        var kit = Files.readString(Path.of(w[0]));
        base = in(kit, "base_url"); issuer = in(kit, "issuer"); me = kit.substring(kit.indexOf('"' + w[1] + '"')); id = in(me, "client_id");
        var curve = AlgorithmParameters.getInstance("EC"); curve.init(new ECGenParameterSpec("secp256r1"));
        var secret = new ECPrivateKeySpec(new java.math.BigInteger(1, unb64(in(me, "d"))), curve.getParameterSpec(ECParameterSpec.class));
        key = KeyFactory.getInstance("EC").generatePrivate(secret);
        if (w[2].equals("webhook")) System.exit(genuine(w[3], w[4], w[5], w[6], w[7]) ? 0 : 1);
        var question = "{\"perk\":\"%s\",\"holder\":{\"code\":\"%s\"},\"amount\":%s}".formatted(w[3], w[4], w[5]);
        var told = call("/v1/partner/eligibility", question, UUID.randomUUID().toString());
        var good = in(receipt(in(told, "receipt")), "decision_id").equals(in(told, "decision_id"));
        if (!good || !in(told, "result").equals("granted") || w[2].equals("check")) return;
        var text = "{\"out_order_no\":\"%s\",\"perk\":\"%s\",\"decision_id\":\"%s\",\"deposit\":%s}";
        var asked = text.formatted(w[6], w[3], in(told, "decision_id"), w[5]);
        var order = "/v1/partner/orders/" + in(call("/v1/partner/orders", asked, w[6] + "-open"), "order_id") + '/';
        for (var step : List.of("start", "return", "settle")) call(order + step, step.equals("settle") ? "{\"items\":[]}" : "{}", w[6] + '-' + step); }
}
