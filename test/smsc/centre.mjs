// An SMS centre made with npm's smpp, which shares no code with ours, for the tests of internal/message. It listens at the port of its
// argument (0: a free one), does what lines on its input say, and writes down as JSON, one a line, what it is sent.
import { createInterface } from 'node:readline';
import smpp from 'smpp';

const say = (x) => process.stdout.write(`${JSON.stringify(x)}\n`);

// What it is told to do: {"delay": ms before each answer, "status": of answers, "cut": how many submits end their connection instead
// of an answer, "receipts": how often each is said, "echo": whether receipts say the reference, "hold": keep receipts}
let mode = { delay: 0, status: 0, cut: 0, receipts: 1, echo: true, hold: false };
let count = Math.floor(Date.now() / 1000) * 1000 % 0x7fffffff; // another after each start, as centres do
const held = new Set(); // receipts that nobody has said he received
const sessions = new Set();

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('close', () => {
    sessions.delete(session);
    for (const r of held) if (r.by === session) r.by = null;
    say({ event: 'gone' });
    flush();
  });
  session.on('bind_transceiver', (pdu) => {
    const ok = pdu.system_id === 'tesdiq' && pdu.password === 'word';
    session.send(pdu.response({ command_status: ok ? smpp.ESME_ROK : smpp.ESME_RINVPASWD }));
    say({ event: 'bind', ok });
    if (!ok) return;
    sessions.add(session);
    flush();
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', async (pdu) => {
    const now = { ...mode };
    const id = (count++).toString(16);
    const udh = pdu.short_message.udh?.[0] ?? pdu.short_message.udh;
    say({ event: 'submit', id, to: pdu.destination_addr, from: pdu.source_addr, text: pdu.short_message.message, coding: pdu.data_coding, udh: udh ? Array.from(udh) : null,
      reference: pdu.user_message_reference ?? -1, status: now.status, validity: pdu.validity_period });
    if (now.delay) await new Promise((resolve) => setTimeout(resolve, now.delay));
    if (now.status) return session.send(pdu.response({ command_status: now.status }));
    for (let i = 0; i < now.receipts; i++) {
      held.add({ id, from: pdu.destination_addr, to: pdu.source_addr, reference: now.echo ? pdu.user_message_reference : undefined });
    }
    if (mode.cut > 0) { // it has the message, and cannot say so
      mode.cut--;
      return session.destroy();
    }
    session.send(pdu.response({ message_id: id }));
    flush();
  });
});

function flush() {
  const [session] = sessions;
  if (!session || mode.hold) return;
  for (const r of held) {
    if (r.by) continue;
    r.by = session;
    session.deliver_sm({
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT, source_addr_ton: 1, source_addr_npi: 1, source_addr: r.from, destination_addr: r.to,
      ...(r.reference === undefined ? {} : { user_message_reference: r.reference }),
      short_message: { message: `id:${r.id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:` },
    }, (pdu) => {
      say({ event: 'receipt', id: r.id, status: pdu.command_status });
      if (pdu.command_status === 0) return held.delete(r);
      setTimeout(() => { r.by = null; flush(); }, 100);
    });
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  mode = { ...mode, ...JSON.parse(line) };
  say({ event: 'mode', mode });
  flush();
}).on('close', () => process.exit(0)); // nobody is left behind when the tests are broken off

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
