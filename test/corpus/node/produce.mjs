// Signs with @signpdf (node-forge) over pdf-lib and over its own string operations. usage: produce.mjs BASES PKI OUT
import fs from 'node:fs';
import { plainAddPlaceholder } from '@signpdf/placeholder-plain';
import { pdflibAddPlaceholder } from '@signpdf/placeholder-pdf-lib';
import { P12Signer } from '@signpdf/signer-p12';
import signpdf from '@signpdf/signpdf';
import { SUBFILTER_ADOBE_PKCS7_DETACHED, SUBFILTER_ETSI_CADES_DETACHED } from '@signpdf/utils';
import { PDFDocument, StandardFonts } from 'pdf-lib';

const [bases, pki, out] = process.argv.slice(2);
const base = (label) => fs.readFileSync(`${bases}/${label}.pdf`);
const signer = (kind) => new P12Signer(fs.readFileSync(`${pki}/${kind}.p12`), { passphrase: 'corpus' });
const words = { reason: 'Corpus', contactInfo: 'x@example.org', name: 'Corpus', location: 'Baku' };

async function put(file, options, make) {
  try {
    fs.writeFileSync(`${out}/${file}.pdf`, await make());
    console.log(JSON.stringify({ file: `${file}.pdf`, producer: '@signpdf 3.3.0', expected: 'intact', ...options }));
  } catch (e) {
    console.log(JSON.stringify({ file: `${file}.pdf`, error: String(e) }));
  }
}

const plain = (pdf, kind, subFilter, more = {}) =>
  signpdf.default ? signpdf.default.sign(plainAddPlaceholder({ pdfBuffer: pdf, ...words, subFilter, ...more }), signer(kind))
    : signpdf.sign(plainAddPlaceholder({ pdfBuffer: pdf, ...words, subFilter, ...more }), signer(kind));

async function lib(pdf, kind, subFilter, save, more = {}) {
  const doc = await PDFDocument.load(pdf);
  pdflibAddPlaceholder({ pdfDoc: doc, ...words, subFilter, signatureLength: 12000, ...more });
  const bytes = Buffer.from(await doc.save(save));
  return (signpdf.default ?? signpdf).sign(bytes, signer(kind));
}

async function drawn() {
  const doc = await PDFDocument.create();
  const page = doc.addPage();
  page.drawText('Decision. Group: 3', { x: 72, y: 700, font: await doc.embedFont(StandardFonts.Helvetica) });
  const form = doc.getForm();
  form.createTextField('remark').addToPage(page, { x: 72, y: 500 });
  return doc.save();
}

for (const [sub, label] of [[SUBFILTER_ADOBE_PKCS7_DETACHED, 'adbe'], [SUBFILTER_ETSI_CADES_DETACHED, 'etsi']]) {
  for (const kind of ['rsa2048', 'rsa4096']) {
    await put(`signpdf-plain-${label}-${kind}`, { key: kind, subfilter: sub }, () => plain(base('hand14'), kind, sub));
    await put(`signpdf-lib-${label}-${kind}`, { key: kind, subfilter: sub, object_streams: false }, () => lib(base('reportlab'), kind, sub, { useObjectStreams: false }));
  }
  await put(`signpdf-lib-drawn-${label}`, { subfilter: sub, base: 'written by pdf-lib' }, async () => lib(await drawn(), 'rsa3072', sub, { useObjectStreams: false }));
  await put(`signpdf-lib-visible-${label}`, { subfilter: sub, visible: true }, () => lib(base('fpdf2'), 'rsa2048', sub, { useObjectStreams: false }, { widgetRect: [60, 60, 260, 110] }));
}
await put('signpdf-plain-noeol', { base: 'hand-noeol' }, () => plain(base('hand-noeol'), 'rsa2048'));
await put('signpdf-plain-reportlab', { base: 'reportlab' }, () => plain(base('reportlab'), 'rsa2048'));
await put('signpdf-plain-room', { room: 30000 }, () => plain(base('hand14'), 'rsa2048', SUBFILTER_ADOBE_PKCS7_DETACHED, { signatureLength: 30000 }));
