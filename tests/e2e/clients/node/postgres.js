// Postgres.js. `node postgres.js require` or `verify`.
import { readFileSync } from "node:fs";
import postgres from "postgres";

function require() {
  // docs: require
  const sql = postgres(process.env.DATABASE_URL);
  // end
  return sql;
}

function verify() {
  // docs: verify
  const sql = postgres(process.env.DATABASE_URL, {
    ssl: { ca: readFileSync("/var/run/secrets/daap/orders/ca.crt") },
  });
  // end
  return sql;
}

const sql = { require, verify }[process.argv[2]]();
const [{ database }] = await sql`SELECT current_database() AS database`;
let prepared = 0;
for (let number = 0; number < 10; number++) {
  const [{ n }] = await sql`SELECT ${number}::int AS n`;
  prepared += n;
}
const unwanted = new Error("ends a transaction that is not to be kept");
try {
  await sql.begin(async (sql) => {
    await sql`CREATE TABLE unfinished (id int)`;
    throw unwanted;
  });
} catch (error) {
  if (error !== unwanted) throw error;
}
const [{ name }] = await sql`SELECT to_regclass('unfinished')::text AS name`;
await sql.end();
console.log(JSON.stringify({ database, prepared, unfinished: name }));
