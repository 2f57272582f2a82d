// A merchant's whole client. Needs Go 1.19 or newer and no module. Copy it and make it yours (gofmt unfolds it).
// go run merchant.go KIT CLIENT check PERK CODE FEN | order PERK CODE FEN NUMBER    ask; or go through a whole order
// go run merchant.go KIT CLIENT webhook SECRET ID TIMESTAMP SIGNATURE BODY    did the city send this?
package main
import ("bytes"; "crypto/ecdsa"; "crypto/ed25519"; "crypto/elliptic"; "crypto/hmac"; "crypto/rand"; "crypto/sha256"; "math/big")
import ("encoding/base64"; "encoding/json"; "fmt"; "io"; "net/http"; "net/url"; "os"; "strconv"; "strings"; "time")
type M = map[string]any
var kit struct { Base_url, Issuer string; Keys []struct { Kid, X string }
	Clients map[string]struct { Client_id string; Scopes []string; Jwk map[string]string } }
var me, key, b64, std = kit.Clients[""], &ecdsa.PrivateKey{}, base64.RawURLEncoding, base64.StdEncoding
var nonce, access, until = "", "", int64(0) // the server's DPoP nonce; our token, and when it ends
func must[T any](value T, err error) T { if err != nil { panic(err) }; return value }
func number(text string) *big.Int { return new(big.Int).SetBytes(must(b64.DecodeString(text))) }
func fresh() string { raw := make([]byte, 16); must(rand.Read(raw)); return fmt.Sprintf("%x", raw) }
func sign(header, claims M) string { // a JWT (RFC 7515), used once
	header["alg"], claims["jti"], claims["iat"] = "ES256", fresh(), time.Now().Unix()
	text := b64.EncodeToString(must(json.Marshal(header))) + "." + b64.EncodeToString(must(json.Marshal(claims)))
	hash := sha256.Sum256([]byte(text)); r, s, _ := ecdsa.Sign(rand.Reader, key, hash[:])
	return text + "." + b64.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}
func proof(url, token string) string { // that we hold the key (RFC 9449): afresh for each request
	claims, ath := M{"htm": "POST", "htu": url}, sha256.Sum256([]byte(token))
	if nonce != "" { claims["nonce"] = nonce }; if token != "" { claims["ath"] = b64.EncodeToString(ath[:]) }
	return sign(M{"typ": "dpop+jwt", "jwk": M{"kty": "EC", "crv": "P-256", "x": me.Jwk["x"], "y": me.Jwk["y"]}}, claims)
}
func send(url, kind string, body func() []byte, repeat, token string) (status int, said M) { // until there is an answer
	for turn := 0; turn < 8; turn++ {
		ask, wait := must(http.NewRequest("POST", url, bytes.NewReader(body()))), 1<<turn
		ask.Header = http.Header{"Content-Type": {kind}, "Dpop": {proof(url, token)}, "Idempotency-Key": {repeat}}
		if token != "" { ask.Header.Set("Authorization", "DPoP "+token) }
		if got, err := (&http.Client{Timeout: 10 * time.Second}).Do(ask); err == nil { // else: perhaps done, perhaps not
			text, _ := io.ReadAll(got.Body); got.Body.Close()
			if told := got.Header.Get("DPoP-Nonce"); told != "" { nonce = told }
			if bytes.Contains(text, []byte("use_dpop_nonce")) { continue } // the same with the nonce
			if status, said = got.StatusCode, nil; status < 500 && json.Unmarshal(text, &said) == nil && said["retryable"] != true { return }
			if told, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil { wait = told }
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
	panic("No answer yet: use your standard route, and send the same with the same key later.")
}
func form() []byte { // who we are (RFC 7523); an assertion is used once
	return []byte(url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(me.Scopes, " ")},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion": {sign(M{"kid": me.Jwk["kid"]}, M{"iss": me.Client_id, "sub": me.Client_id, "aud": kit.Issuer,
			"exp": time.Now().Unix() + 60})}}.Encode())
}
func call(path string, body M, repeat string) M { // one call; the key stays the same when it is repeated
	if time.Now().Unix() > until { // a token is good for five minutes
		_, said := send(kit.Base_url+"/oauth/token", "application/x-www-form-urlencoded", form, fresh(), "")
		access, until = said["access_token"].(string), time.Now().Unix()+int64(said["expires_in"].(float64))-20
	}
	status, said := send(kit.Base_url+path, "application/json", func() []byte { return must(json.Marshal(body)) }, repeat, access)
	if fmt.Println(status, string(must(json.Marshal(said)))); status >= 300 { os.Exit(1) }
	return said
}
func receipt(text string) (said M) { // what the city signed, for your files (RFC 7515, EdDSA)
	json.NewDecoder(must(http.Get(kit.Base_url + "/.well-known/jwks.json")).Body).Decode(&kit)
	part := strings.Split(text, ".")
	for _, one := range kit.Keys { if one.Kid == "rcpt-1" && ed25519.Verify(must(b64.DecodeString(one.X)),
		[]byte(part[0]+"."+part[1]), must(b64.DecodeString(part[2]))) { json.Unmarshal(must(b64.DecodeString(part[1])), &said) } }
	return
}
func genuine(secret, id, moment, signatures, body string) (good bool) { // as Standard Webhooks 1.0.0 signs; body untouched
	mac := hmac.New(sha256.New, must(std.DecodeString(strings.TrimPrefix(secret, "whsec_")))); mac.Write([]byte(id + "." + moment + "." + body))
	want := []byte("v1," + std.EncodeToString(mac.Sum(nil)))
	for _, one := range strings.Fields(signatures) { good = good || hmac.Equal([]byte(one), want) }
	return good && time.Since(time.Unix(must(strconv.ParseInt(moment, 10, 64)), 0)).Abs() < 300*time.Second
}
func main() {
	must(0, json.Unmarshal(must(os.ReadFile(os.Args[1])), &kit)); me = kit.Clients[os.Args[2]]
	key.Curve, key.D, key.X, key.Y = elliptic.P256(), number(me.Jwk["d"]), number(me.Jwk["x"]), number(me.Jwk["y"])
	w := append(os.Args[3:], fresh()); if w[0] == "webhook" { if genuine(w[1], w[2], w[3], w[4], w[5]) { return }; os.Exit(1) }
	perk, fen, no := w[1], must(strconv.Atoi(w[3])), w[4]
	told := call("/v1/partner/eligibility", M{"perk": perk, "holder": M{"code": w[2]}, "amount": fen}, no+"-check")
	if receipt(told["receipt"].(string))["decision_id"] != told["decision_id"] || told["result"] != "granted" || w[0] != "order" { return }
	asked := M{"out_order_no": no, "perk": perk, "decision_id": told["decision_id"], "deposit": fen}
	order := "/v1/partner/orders/" + call("/v1/partner/orders", asked, no+"-open")["order_id"].(string) + "/"
	for i, body := range []M{{}, {}, {"items": []M{}}} { step := []string{"start", "return", "settle"}[i]; call(order+step, body, no+"-"+step) }
}
