// pgx. `pgx require` or `pgx verify`.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

var ctx = context.Background()

func require() (*pgxpool.Pool, error) {
	// docs: require
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	// end
	return pool, err
}

func verify() (*pgxpool.Pool, error) {
	// docs: verify
	url := strings.Replace(os.Getenv("DATABASE_URL"),
		"sslmode=require", "sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt", 1)
	pool, err := pgxpool.New(ctx, url)
	// end
	return pool, err
}

func main() {
	connect := map[string]func() (*pgxpool.Pool, error){"require": require, "verify": verify}
	pool, err := connect[os.Args[1]]()
	must(err)
	defer pool.Close()
	var database string
	must(pool.QueryRow(ctx, "SELECT current_database()").Scan(&database))
	prepared := 0
	for number := range 10 {
		var echoed int
		must(pool.QueryRow(ctx, "SELECT $1::int", number).Scan(&echoed))
		prepared += echoed
	}
	transaction, err := pool.Begin(ctx)
	must(err)
	_, err = transaction.Exec(ctx, "CREATE TABLE unfinished (id int)")
	must(err)
	must(transaction.Rollback(ctx))
	var unfinished *string
	must(pool.QueryRow(ctx, "SELECT to_regclass('unfinished')::text").Scan(&unfinished))
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"database": database, "prepared": prepared, "unfinished": unfinished,
	}))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
