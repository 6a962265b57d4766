// Passes the guard of a Hookwright form hook.
//
//   <script src="https://HOOKS/v1/hooks/form/guard.js" defer></script>
//   <form data-hookwright method="post" action="https://HOOKS/v1/hooks/form/ORG/HASH">…</form>
//
// A marked form gets its challenge as the page loads and does the work while a person fills it in; token and nonce go along
// when it is sent. A page that posts by itself asks for them: await hookwright.prove(address) gives {hw_token, hw_nonce}.
(function () {
  'use strict';

  // A challenge is good for two hours; one that is nearly over is not used any more.
  var MARGIN_MS = 60 * 1000;
  // Work is done in slices, so that the page stays quick.
  var SLICE_MS = 10;
  var FIELDS = ['hw_token', 'hw_nonce'];

  // ---- SHA-256 (FIPS 180-4). The browser's own needs a promise for each hash, and there are thousands of tiny ones.

  // The first 32 bits of the fractional parts of the roots of the first primes.
  function rootsOfPrimes(count, exponent) {
    var roots = [];
    for (var candidate = 2; roots.length < count; candidate++) {
      var isPrime = true;
      for (var divisor = 2; divisor * divisor <= candidate; divisor++) {
        if (candidate % divisor === 0) { isPrime = false; }
      }
      if (isPrime) {
        var root = Math.pow(candidate, exponent);
        roots.push(((root - Math.floor(root)) * 4294967296) | 0);
      }
    }
    return roots;
  }

  var START = rootsOfPrimes(8, 1 / 2);
  var ROUNDS = rootsOfPrimes(64, 1 / 3);
  var words = new Int32Array(64);

  function rotated(word, bits) {
    return (word >>> bits) | (word << (32 - bits));
  }

  // The state after the 64 bytes of `block` that begin at `at`.
  function compressed(state, block, at) {
    var i;
    for (i = 0; i < 16; i++) {
      var p = at + 4 * i;
      words[i] = (block[p] << 24) | (block[p + 1] << 16) | (block[p + 2] << 8) | block[p + 3];
    }
    for (i = 16; i < 64; i++) {
      var x = words[i - 15];
      var y = words[i - 2];
      var small0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
      var small1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
      words[i] = (words[i - 16] + small0 + words[i - 7] + small1) | 0;
    }
    var a = state[0], b = state[1], c = state[2], d = state[3];
    var e = state[4], f = state[5], g = state[6], h = state[7];
    for (i = 0; i < 64; i++) {
      var big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      var t1 = (h + big1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
      var big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      var t2 = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0;
      d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    return [
      (state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0,
      (state[4] + e) | 0, (state[5] + f) | 0, (state[6] + g) | 0, (state[7] + h) | 0
    ];
  }

  // How many zero bits the hash of an ASCII text begins with. `known` remembers the blocks that all texts begin with.
  function leadingZeroBits(text, known) {
    var length = text.length;
    var block = new Uint8Array(Math.ceil((length + 9) / 64) * 64);
    for (var i = known.bytes; i < length; i++) { block[i] = text.charCodeAt(i); }
    block[length] = 0x80;
    // No text here is so long that its bits need more than the last word.
    new DataView(block.buffer).setUint32(block.length - 4, length * 8);
    var state = known.state;
    for (var at = known.bytes; at < block.length; at += 64) { state = compressed(state, block, at); }
    var bits = 0;
    for (var word = 0; word < 8; word++) {
      var zeros = Math.clz32(state[word]);
      bits += zeros;
      if (zeros < 32) { break; }
    }
    return bits;
  }

  function knownOf(prefix) {
    var known = { bytes: 0, state: START };
    while (known.bytes + 64 <= prefix.length) {
      var block = [];
      for (var i = 0; i < 64; i++) { block.push(prefix.charCodeAt(known.bytes + i)); }
      known = { bytes: known.bytes + 64, state: compressed(known.state, block, 0) };
    }
    return known;
  }

  // ---- The challenge

  // A nonce for which the hash of token, dot and nonce begins with so many zero bits.
  function solve(token, bits) {
    var prefix = token + '.';
    var known = knownOf(prefix);
    var tried = 0;
    return new Promise(function (solved) {
      (function slice() {
        var until = Date.now() + SLICE_MS;
        while (Date.now() < until) {
          for (var i = 0; i < 100; i++) {
            var nonce = (tried++).toString(36);
            if (leadingZeroBits(prefix + nonce, known) >= bits) { return solved(nonce); }
          }
        }
        setTimeout(slice, 0);
      })();
    });
  }

  function after(ms) {
    return new Promise(function (passed) { setTimeout(passed, Math.max(0, ms)); });
  }

  // Gets a challenge and solves it. The hook that asks for none answers 404; then there is nothing to send along.
  function begin(address) {
    var url = new URL(address, document.baseURI);
    url.search = '';
    url.hash = '';
    return fetch(url.href + '/challenge', { credentials: 'omit', cache: 'no-store' }).then(function (response) {
      if (response.status === 404) { return { fields: {}, readyAt: 0, goodUntil: Infinity }; }
      if (!response.ok) { throw new Error('The form got no challenge: ' + response.status); }
      var receivedAt = Date.now();
      return response.json().then(function (answer) {
        var asked = answer.data.attributes;
        return solve(asked.token, asked.proofOfWorkBits).then(function (nonce) {
          return {
            fields: { hw_token: asked.token, hw_nonce: nonce },
            readyAt: receivedAt + asked.minimumFillSeconds * 1000,
            goodUntil: receivedAt + 2 * 60 * 60 * 1000 - MARGIN_MS
          };
        });
      });
    });
  }

  // What goes along with a post, no earlier than the hook takes it.
  function prove(address) {
    return begin(address).then(ripe);
  }

  function ripe(proof) {
    return after(proof.readyAt - Date.now()).then(function () { return proof.fields; });
  }

  // ---- The form

  function fill(form, fields) {
    FIELDS.forEach(function (name) {
      var old = form.querySelector('input[name="' + name + '"]');
      if (old) { old.remove(); }
      if (!(name in fields)) { return; }
      var input = document.createElement('input');
      input.type = 'hidden';
      input.name = name;
      input.value = fields[name];
      form.appendChild(input);
    });
  }

  function guard(form) {
    var address = form.getAttribute('action');
    var proof = null;
    var isWaiting = false;
    var isFilled = false;

    // A challenge that cannot be got now is asked for again when the form is sent.
    function start() {
      proof = begin(address).catch(function () { return null; });
    }

    function current() {
      return (proof || Promise.resolve(null)).then(function (found) {
        return found && Date.now() < found.goodUntil ? found : begin(address);
      });
    }

    function send(submitter) {
      isWaiting = false;
      isFilled = true;
      if (form.requestSubmit) { form.requestSubmit(submitter || undefined); } else { HTMLFormElement.prototype.submit.call(form); }
      isFilled = false;
    }

    // Before the page's own listeners, which see the form once it is complete.
    form.addEventListener('submit', function (event) {
      if (isFilled) {
        // A token is good for one post.
        proof = null;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (isWaiting) { return; }
      isWaiting = true;
      // What cannot be proved is sent without; the hook then says what is missing.
      current().then(ripe).catch(function () { return {}; }).then(function (fields) {
        fill(form, fields);
        send(event.submitter);
      });
    }, true);

    // Back from the page that followed: the token of before is used up.
    window.addEventListener('pageshow', function (event) {
      if (event.persisted) { start(); }
    });
    start();
  }

  function guardAll() {
    document.querySelectorAll('form[data-hookwright]').forEach(guard);
  }

  window.hookwright = { guard: guard, prove: prove };
  if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', guardAll);
  } else {
    guardAll();
  }
})();
