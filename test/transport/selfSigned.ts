import { generateKeyPairSync, sign } from 'node:crypto';

/** One value of ASN.1 in DER (X.690): its tag, its length, its content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const ed25519 = sequence(der(0x06, Buffer.from('2b6570', 'hex')));
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text, 'latin1'));

/** A certificate of 127.0.0.1 that it signs itself, and its key, both as PEM: no file with a key is needed. */
export function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const commonName = sequence(
    der(0x06, Buffer.from('550403', 'hex')),
    der(0x0c, Buffer.from('127.0.0.1', 'latin1')),
  );
  const name = sequence(der(0x31, commonName));
  const certificate = sequence(
    der(0x02, Uint8Array.of(1)),
    ed25519,
    name,
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign(null, certificate, privateKey);
  const whole = sequence(certificate, ed25519, der(0x03, Uint8Array.of(0), signature));
  const lines = (whole.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
