<?php // A merchant's whole client. Needs PHP 8.1 or newer with openssl, curl and sodium. Copy it and make it yours.
// php merchant.php KIT CLIENT check PERK CODE FEN | order PERK CODE FEN NUMBER    ask; or go through a whole order
// php merchant.php KIT CLIENT webhook SECRET ID TIMESTAMP SIGNATURE BODY    did the city send this?
[, $file, $name, $what] = $argv;
$kit = json_decode(file_get_contents($file), true);
[$me, $base, $issuer] = [$kit['clients'][$name], $kit['base_url'], $kit['issuer']];
$public = array_intersect_key($me['jwk'], array_flip(['kty', 'crv', 'x', 'y']));
$der = hex2bin('30770201010420') . unb64($me['jwk']['d']) . hex2bin('a00a06082a8648ce3d030107a14403420004')
    . unb64($public['x']) . unb64($public['y']); // RFC 5915
$pem = "-----BEGIN EC PRIVATE KEY-----\n" . chunk_split(base64_encode($der), 64) . '-----END EC PRIVATE KEY-----';
[$nonce, $access, $until] = ['', '', 0]; // the server's DPoP nonce; our token, and when it ends
function b64(string $raw): string { return rtrim(strtr(base64_encode($raw), '+/', '-_'), '='); }
function unb64(string $text): string { return base64_decode(strtr($text, '-_', '+/')); }
function sign(array $header, array $claims): string { // a JWT (RFC 7515), used once; OpenSSL's DER made into r and s
    $parts = [['alg' => 'ES256'] + $header, ['jti' => b64(random_bytes(16)), 'iat' => time()] + $claims];
    $text = implode('.', array_map(fn($part) => b64(json_encode($part, JSON_UNESCAPED_SLASHES)), $parts));
    openssl_sign($text, $der, $GLOBALS['pem'], OPENSSL_ALGO_SHA256);
    $both = [substr($der, 4, ord($der[3])), substr($der, 6 + ord($der[3]))];
    return $text . '.' . b64(implode(array_map(fn($n) => str_pad(ltrim($n, "\0"), 32, "\0", STR_PAD_LEFT), $both)));
}
function proof(string $url, string $token): string { // that we hold the key (RFC 9449): afresh for each request
    $ath = $token === '' ? '' : b64(hash('sha256', $token, true));
    $claims = array_filter(['htm' => 'POST', 'htu' => $url, 'nonce' => $GLOBALS['nonce'], 'ath' => $ath]);
    return sign(['typ' => 'dpop+jwt', 'jwk' => $GLOBALS['public']], $claims);
}
function send(string $path, callable $body, array $headers, string $token = ''): array { // again until there is an answer
    global $base, $nonce;
    for ($turn = 0; $turn < 8; $turn++) {
        $held = ['DPoP: ' . proof($base . $path, $token), ...($token === '' ? [] : ["Authorization: DPoP $token"])];
        curl_setopt_array($curl = curl_init($base . $path), [CURLOPT_HTTPHEADER => [...$headers, ...$held, 'Expect:'],
            CURLOPT_POSTFIELDS => $body(), CURLOPT_RETURNTRANSFER => true, CURLOPT_HEADER => true, CURLOPT_TIMEOUT => 10]);
        [$head, $text] = explode("\r\n\r\n", (string) curl_exec($curl), 2) + ['', '']; // '': perhaps done, perhaps not
        $nonce = preg_match('/^dpop-nonce: *(\S+)/mi', $head, $found) ? $found[1] : $nonce;
        if (str_contains($text, 'use_dpop_nonce')) continue; // told the nonce: the same with it
        $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $said = $text !== '' && $status < 500 ? json_decode($text, true) : ['retryable' => true];
        if (!($said['retryable'] ?? false)) return [$status, $said];
        sleep(preg_match('/^retry-after: *(\d+)/mi', $head, $found) ? (int) $found[1] : 2 ** $turn);
    }
    exit("No answer yet: use your standard route, and send the same with the same key later.\n");
}
function token(): string { // who we are (RFC 7523); good for five minutes
    global $me, $issuer, $access, $until;
    if (time() < $until) return $access;
    $claims = fn() => ['iss' => $me['client_id'], 'sub' => $me['client_id'], 'aud' => $issuer, 'exp' => time() + 60];
    $form = fn() => http_build_query(['grant_type' => 'client_credentials', 'scope' => implode(' ', $me['scopes']),
        'client_assertion_type' => 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        'client_assertion' => sign(['kid' => $me['jwk']['kid']], $claims())]);
    [, $said] = send('/oauth/token', $form, []);
    $until = time() + $said['expires_in'] - 20;
    return $access = $said['access_token'];
}
function call(string $path, array $body, string $key): array { // one call; the key stays the same when it is repeated
    $headers = ['Content-Type: application/json', "Idempotency-Key: $key"];
    [$status, $said] = send($path, fn() => json_encode((object) $body), $headers, token());
    echo $status, ' ', json_encode($said, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n";
    return $status < 300 ? $said : exit(1);
}
function receipt(string $text): array { // what the city signed, for your files (RFC 7515, EdDSA)
    [$head, $claims, $signature] = explode('.', $text);
    $keys = array_column(json_decode(file_get_contents($GLOBALS['base'] . '/.well-known/jwks.json'), true)['keys'], 'x', 'kid');
    $good = sodium_crypto_sign_verify_detached(unb64($signature), "$head.$claims", unb64($keys['rcpt-1']));
    return $good ? json_decode(unb64($claims), true) : exit("forged receipt\n");
}
function genuine(string $secret, string $id, string $moment, string $signatures, string $body): bool { // body: untouched
    $key = base64_decode(str_replace('whsec_', '', $secret)); // as Standard Webhooks 1.0.0 signs it
    $good = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$moment.$body", $key, true));
    return abs(time() - $moment) < 300 && array_filter(explode(' ', $signatures), fn($one) => hash_equals($good, $one));
}

if ($what === 'webhook') exit(genuine(...array_slice($argv, 4)) ? 0 : 1);
[$perk, $code, $fen, $number] = array_slice($argv, 4) + [3 => bin2hex(random_bytes(16))];
$question = ['perk' => $perk, 'holder' => ['code' => $code], 'amount' => (int) $fen];
$told = call('/v1/partner/eligibility', $question, "$number-check");
if (receipt($told['receipt'])['decision_id'] !== $told['decision_id'] || $what !== 'order' || $told['result'] !== 'granted') exit(0);
$order = ['out_order_no' => $number, 'perk' => $perk, 'decision_id' => $told['decision_id'], 'deposit' => (int) $fen];
$address = '/v1/partner/orders/' . call('/v1/partner/orders', $order, "$number-open")['order_id'];
foreach (['start' => [], 'return' => [], 'settle' => ['items' => []]] as $action => $body) {
    call("$address/$action", $body, "$number-$action");
}
