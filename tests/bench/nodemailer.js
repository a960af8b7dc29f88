// Sends mails with nodemailer and prints how many seconds that took.
// Usage: node nodemailer.js MODULE OPTIONS, the options in JSON.
const [module_, options] = process.argv.slice(2);
const nodemailer = require(module_);
const { transport, mail, count, pool } = JSON.parse(options);

async function main() {
  const send = (transporter, number) =>
    transporter.sendMail({ ...mail, subject: `Mail ${number}` });
  let transporter;
  if (pool) {
    transporter = nodemailer.createTransport({ ...transport, pool: true, maxConnections: 1, maxMessages: Infinity });
    await send(transporter, 0);
  }
  const start = process.hrtime.bigint();
  if (pool) {
    await Promise.all(Array.from({ length: count }, (_, number) => send(transporter, number)));
  } else {
    transporter = nodemailer.createTransport(transport);
    for (let number = 0; number < count; number += 1) await send(transporter, number);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  transporter.close();
  console.log(JSON.stringify(seconds));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
