// SPDX-License-Identifier: Apache-2.0
// RFC 3161 timestamps over checkpoints: the request, and the offline check of the answer. RFC 5652 (CMS), RFC 5816 (ESSCertIDv2), RFC 5280 (chain).
import * as asn1 from 'asn1js'
import {
  AlgorithmIdentifier,
  type BasicConstraints,
  Certificate,
  ContentInfo,
  type ExtKeyUsage,
  IssuerAndSerialNumber,
  MessageImprint,
  SignedData,
  TimeStampReq,
  TimeStampResp,
  TSTInfo
} from 'pkijs'
import { equalBytes, fromBase64, toHex, utf8 } from './bytes.ts'
import { EvidenceError } from './errors.ts'
import type { Sha256 } from './merkle.ts'

const OID = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extKeyUsage: '2.5.29.37',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  commonName: '2.5.4.3'
} as const

/** Largest answer of an authority that is read, in bytes: real ones have 2 to 8 kB. */
export const MOST_TIMESTAMP_BYTES = 64 * 1024
/** Certificates between the authority and the trusted one. */
const LONGEST_CHAIN = 6

const fail = (code: ConstructorParameters<typeof EvidenceError>[0], message: string): EvidenceError => new EvidenceError(code, message)
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

/**
 * What is timestamped and cosigned of a checkpoint note: its body and the signature of the log, without cosignatures that were added later.
 * With stock tools: `head -n 5 proof/checkpoint`.
 */
export function signedPart(note: string): string {
  const lines = note.split('\n')
  return `${lines.slice(0, 5).join('\n')}\n`
}

/** DER of a TimeStampReq over SHA-256 of a message, asking for the certificate of the authority. @param nonce 8 to 20 random bytes */
export function timestampRequest(sha256: Sha256, message: Uint8Array, nonce: Uint8Array): Uint8Array {
  // An INTEGER is signed: a first byte below 0x80 and above 0 keeps it positive and of one length.
  const positive = Uint8Array.of(1 + ((nonce[0] ?? 0) % 127), ...nonce.slice(1))
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: OID.sha256, algorithmParams: new asn1.Null() }),
      hashedMessage: new asn1.OctetString({ valueHex: buffer(sha256(message)) })
    }),
    nonce: new asn1.Integer({ valueHex: buffer(positive) }),
    certReq: true
  })
  return new Uint8Array(request.toSchema().toBER(false))
}

/** What a timestamp says once it holds. */
export interface Timestamp {
  /** ISO 8601 UTC; the message existed at the latest then. */
  readonly time: string
  /** The digest of the message that it is over, by name. */
  readonly digest: string
  /** SHA-256 of the certificate of the authority, hex. */
  readonly authority: string
  /** Its common name, for people; not verified beyond the chain. */
  readonly name: string
}

export interface TimestampCheck {
  readonly response: Uint8Array
  readonly message: Uint8Array
  /** Certificates that an authority must lead to, PEM. */
  readonly trusted: string
  /** DER of the request, when the answer comes straight from an authority: its nonce must be the same. */
  readonly request?: Uint8Array
  /** Evidence of another program: SHA-384 and SHA-512, a token without its answer, and a signer whose certificate is among the trusted ones. */
  readonly foreign?: boolean
}

/**
 * Checks an answer of an authority offline: granted, over this message, with this nonce, signed by a certificate for timestamping that leads to
 * a trusted one, all valid at the time of the timestamp (a certificate that ended since changes nothing: the time lies before its end).
 * Revocation is not looked up.
 * @throws EvidenceError timestamp_unreadable, timestamp_refused, timestamp_imprint, timestamp_nonce, timestamp_signature, timestamp_authority
 */
export async function verifyTimestamp(sha256: Sha256, check: TimestampCheck): Promise<Timestamp> {
  if (check.response.length > MOST_TIMESTAMP_BYTES) throw fail('timestamp_unreadable', `larger than ${MOST_TIMESTAMP_BYTES} bytes`)
  const { signed, info } = parseResponse(check.response, check.foreign === true)
  const { messageImprint, genTime } = info
  const imprint = await imprintOf(sha256, messageImprint.hashAlgorithm.algorithmId, check)
  if (!equalBytes(messageImprint.hashedMessage.valueBlock.valueHexView, imprint.value))
    throw fail('timestamp_imprint', 'the timestamp is over another text')
  if (check.request) checkNonce(info, check.request)
  if (Number.isNaN(genTime.getTime())) throw fail('timestamp_unreadable', 'no time')
  const included = (signed.certificates ?? []).filter((one) => one instanceof Certificate)
  if (check.foreign) {
    signed.certificates = [...(signed.certificates ?? []), ...certificatesOf(check.trusted)]
    if (included.length === 0 && !namesSigner(signed))
      throw fail('not_supported', 'the answer is without the certificate that signed it: put that into the file of certificates too')
  }
  const signer = await checkSigner(signed, check.message)
  checkEss(sha256, signed, signer)
  if (!isForTimestamps(signer)) throw fail('timestamp_authority', 'the certificate of the authority is not for timestamps')
  await checkChain(signer, included, certificatesOf(check.trusted), genTime)
  return { time: genTime.toISOString(), digest: imprint.name, authority: toHex(sha256(der(signer))), name: commonName(signer) }
}

/** The digest of the message that the timestamp has to be over. @throws EvidenceError timestamp_imprint, not_supported */
async function imprintOf(
  sha256: Sha256,
  oid: string,
  { message, foreign }: TimestampCheck
): Promise<{ readonly name: string; readonly value: Uint8Array }> {
  if (oid === OID.sha256) return { name: 'SHA-256', value: sha256(message) }
  if (!foreign) throw fail('timestamp_imprint', 'the timestamp is not over SHA-256')
  if (oid !== OID.sha384 && oid !== OID.sha512)
    throw fail('not_supported', 'the timestamp is over another digest than SHA-256, SHA-384 or SHA-512')
  const name = oid === OID.sha384 ? 'SHA-384' : 'SHA-512'
  return { name, value: new Uint8Array(await crypto.subtle.digest(name, buffer(message))) }
}

/** Whether the certificate that the signature names, by issuer and serial number, is at hand; another way of naming is left to the check. */
function namesSigner(signed: SignedData): boolean {
  const sid: unknown = signed.signerInfos[0]?.sid
  if (!(sid instanceof IssuerAndSerialNumber)) return true
  return (signed.certificates ?? []).some(
    (one) => one instanceof Certificate && one.issuer.isEqual(sid.issuer) && one.serialNumber.isEqual(sid.serialNumber)
  )
}

/** A token by itself, as `openssl ts -token_out` writes it; undefined where these bytes are none. */
function bareToken(bytes: Uint8Array): ContentInfo | undefined {
  const { result, offset } = asn1.fromBER(buffer(bytes))
  const [first] = result instanceof asn1.Sequence ? result.valueBlock.value : []
  return offset === bytes.length && first instanceof asn1.ObjectIdentifier ? new ContentInfo({ schema: result }) : undefined
}

function parseResponse(bytes: Uint8Array, foreign: boolean): { readonly signed: SignedData; readonly info: TSTInfo } {
  return readToken((foreign ? bareToken(bytes) : undefined) ?? tokenOf(bytes))
}

function tokenOf(bytes: Uint8Array): ContentInfo | undefined {
  let response: TimeStampResp
  try {
    const parsed = asn1.fromBER(buffer(bytes))
    if (parsed.offset !== bytes.length) throw new Error('length')
    response = new TimeStampResp({ schema: parsed.result })
  } catch {
    throw fail('timestamp_unreadable', 'not an answer of a timestamp authority')
  }
  const status = Number(response.status.status)
  if (status !== 0 && status !== 1) throw fail('timestamp_refused', `the authority did not grant it (status ${status})`)
  return response.timeStampToken
}

function readToken(token: ContentInfo | undefined): { readonly signed: SignedData; readonly info: TSTInfo } {
  try {
    if (!token || token.contentType !== OID.signedData) throw new Error('token')
    const signed = new SignedData({ schema: token.content })
    const content = signed.encapContentInfo
    if (content.eContentType !== OID.tstInfo || !content.eContent || signed.signerInfos.length !== 1) throw new Error('content')
    return { signed, info: TSTInfo.fromBER(content.eContent.getValue()) }
  } catch {
    throw fail('timestamp_unreadable', 'the timestamp cannot be read')
  }
}

function checkNonce(info: TSTInfo, request: Uint8Array): void {
  const asked = TimeStampReq.fromBER(buffer(request)).nonce
  const answered = info.nonce
  if (!asked || !answered || !equalBytes(asked.valueBlock.valueHexView, answered.valueBlock.valueHexView))
    throw fail('timestamp_nonce', 'the answer is not to this request')
}

/** The certificate whose key signed; the digest of the content and its type are among what is signed. */
async function checkSigner(signed: SignedData, message: Uint8Array): Promise<Certificate> {
  const attributes = signed.signerInfos[0]?.signedAttrs?.attributes ?? []
  const type = attributes.find((one) => one.type === OID.contentType)?.values[0]
  if (!(type instanceof asn1.ObjectIdentifier) || type.valueBlock.toString() !== OID.tstInfo)
    throw fail('timestamp_signature', 'what is signed is not said to be a timestamp')
  try {
    const found = await signed.verify({ signer: 0, data: buffer(message), checkChain: false, extendedMode: true })
    if (found.signatureVerified === true && found.signerCertificate) return found.signerCertificate
  } catch {
    // Said below in one way.
  }
  throw fail('timestamp_signature', 'the signature of the authority does not hold')
}

/** The signed attributes name the certificate (RFC 3161 2.4.2, RFC 5816), so that no other with the same key can be put in its place. */
function checkEss(sha256: Sha256, signed: SignedData, signer: Certificate): void {
  const attributes = signed.signerInfos[0]?.signedAttrs?.attributes ?? []
  const v2 = attributes.find((one) => one.type === OID.signingCertificateV2)
  if (v2) {
    // ESSCertIDv2 starts with an AlgorithmIdentifier unless it is SHA-256.
    const first = sequenceAt(sequenceAt(sequenceAt(v2.values[0], 0), 0))
    const [head, second] = first
    if (head instanceof asn1.OctetString && equalBytes(head.valueBlock.valueHexView, sha256(der(signer)))) return
    // Another digest: the chain and the signature still bind the certificate that was found by issuer and serial number.
    if (head instanceof asn1.Sequence && second instanceof asn1.OctetString) return
  } else if (attributes.some((one) => one.type === OID.signingCertificate)) return
  throw fail('timestamp_signature', 'the timestamp does not name the certificate that signed it')
}

function sequenceAt(value: unknown, index?: number): asn1.BaseBlock[] & Record<number, unknown> {
  if (!(value instanceof asn1.Sequence) && !Array.isArray(value)) return []
  const items = (Array.isArray(value) ? value : value.valueBlock.value) as asn1.BaseBlock[]
  return index === undefined ? items : sequenceAt(items[index])
}

const extension = (certificate: Certificate, oid: string) => certificate.extensions?.find((one) => one.extnID === oid)

/** Extended key usage, critical and time stamping alone (RFC 3161 2.3). */
function isForTimestamps(certificate: Certificate): boolean {
  const usage = extension(certificate, OID.extKeyUsage)
  const purposes = (usage?.parsedValue as ExtKeyUsage | undefined)?.keyPurposes
  return usage?.critical === true && purposes?.length === 1 && purposes[0] === OID.timeStamping
}

function mayIssue(certificate: Certificate, depth: number): boolean {
  const basic = extension(certificate, OID.basicConstraints)?.parsedValue as BasicConstraints | undefined
  if (basic?.cA !== true) return false
  if (typeof basic.pathLenConstraint === 'number' && basic.pathLenConstraint < depth) return false
  const usage = extension(certificate, OID.keyUsage)?.parsedValue as asn1.BitString | undefined
  // keyCertSign is bit 5.
  return usage === undefined || ((usage.valueBlock.valueHexView[0] ?? 0) & 0x04) !== 0
}

const validAt = (certificate: Certificate, time: Date): boolean => certificate.notBefore.value <= time && time <= certificate.notAfter.value

async function issuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  if (!certificate.issuer.isEqual(issuer.subject)) return false
  try {
    return await certificate.verify(issuer)
  } catch {
    return false
  }
}

/** Walks from the authority to a trusted certificate; each step signed, allowed to issue, and valid at that time. */
async function checkChain(
  signer: Certificate,
  included: readonly Certificate[],
  trusted: readonly Certificate[],
  time: Date
): Promise<void> {
  const same = (a: Certificate, b: Certificate) => equalBytes(der(a), der(b))
  let at = signer
  for (let depth = 0; depth < LONGEST_CHAIN; depth++) {
    if (!validAt(at, time)) throw fail('timestamp_authority', 'a certificate of the authority was not valid at that time')
    for (const anchor of trusted) {
      if (same(at, anchor)) return
      if (!mayIssue(anchor, depth) || !(await issuedBy(at, anchor))) continue
      if (!validAt(anchor, time)) throw fail('timestamp_authority', 'the trusted certificate was not valid at that time')
      return
    }
    let next: Certificate | undefined
    for (const one of included) {
      if (same(one, at) || !mayIssue(one, depth) || !(await issuedBy(at, one))) continue
      next = one
      break
    }
    if (!next) break
    at = next
  }
  throw fail('timestamp_authority', 'the authority does not lead to a trusted certificate')
}

const der = (certificate: Certificate): Uint8Array => new Uint8Array(certificate.toSchema(false).toBER(false))

function commonName(certificate: Certificate): string {
  const found = certificate.subject.typesAndValues.find((one) => one.type === OID.commonName)
  return found ? String(found.value.valueBlock.value).slice(0, 128) : ''
}

/** Certificates of a PEM text, in order. @throws EvidenceError invalid_certificate: none, or one that cannot be read */
function certificatesOf(pem: string): Certificate[] {
  const found = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)]
  if (found.length === 0 || found.length > 32) throw fail('invalid_certificate', 'no certificate in PEM form')
  return found.map(([, body = '']) => {
    try {
      return Certificate.fromBER(buffer(fromBase64(body.replaceAll(/\s/g, ''))))
    } catch {
      throw fail('invalid_certificate', 'a certificate that cannot be read')
    }
  })
}

/** What people compare of a trusted certificate. */
export interface CertificateFacts {
  readonly name: string
  /** SHA-256 of its DER, hex. */
  readonly fingerprint: string
  readonly not_before: string
  readonly not_after: string
}

/** Facts of each certificate of a PEM text. @throws EvidenceError invalid_certificate */
export const certificateFacts = (sha256: Sha256, pem: string): CertificateFacts[] =>
  certificatesOf(pem).map((one) => ({
    name: commonName(one),
    fingerprint: toHex(sha256(der(one))),
    not_before: one.notBefore.value.toISOString(),
    not_after: one.notAfter.value.toISOString()
  }))

/** The bytes of a checkpoint that a timestamp is over. */
export const timestampedBytes = (note: string): Uint8Array => utf8(signedPart(note))
