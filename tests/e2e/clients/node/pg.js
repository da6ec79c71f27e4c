// node-postgres. `node pg.js require` or `verify`; the others are what the page warns of.
import { readFileSync } from "node:fs";
import pg from "pg";

function require() {
  // docs: require
  const pool = new pg.Pool({
    connectionString: `${process.env.DATABASE_URL}&uselibpqcompat=true`,
  });
  // end
  return pool;
}

function verify() {
  // docs: verify
  const pool = new pg.Pool({
    connectionString: process.env.DATABASE_URL.replace(
      "sslmode=require",
      "sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt"),
  });
  // end
  return pool;
}

function plain() {
  return new pg.Pool({ connectionString: process.env.DATABASE_URL });
}

function authority() {
  return new pg.Pool({
    connectionString: process.env.DATABASE_URL,
    ssl: { ca: readFileSync("/var/run/secrets/daap/orders/ca.crt") },
  });
}

function timeout() {
  return new pg.Pool({
    connectionString: `${process.env.DATABASE_URL}&uselibpqcompat=true`,
    statement_timeout: 5000,
  });
}

const pool = { require, verify, plain, authority, timeout }[process.argv[2]]();
const database = (await pool.query("SELECT current_database()")).rows[0].current_database;
let prepared = 0;
for (let number = 0; number < 10; number++) {
  const echo = { name: "echo", text: "SELECT $1::int AS n", values: [number] };
  const { rows } = await pool.query(echo);
  prepared += rows[0].n;
}
const client = await pool.connect();
await client.query("BEGIN");
await client.query("CREATE TABLE unfinished (id int)");
await client.query("ROLLBACK");
const left = await client.query("SELECT to_regclass('unfinished')::text AS name");
client.release();
await pool.end();
console.log(JSON.stringify({ database, prepared, unfinished: left.rows[0].name }));
