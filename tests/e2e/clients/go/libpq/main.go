// lib/pq. `libpq require` or `libpq verify`.
package main

import (
	"database/sql"
	"encoding/json"
	"log"
	"os"
	"strings"

	_ "github.com/lib/pq"
)

func require() (*sql.DB, error) {
	// docs: require
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	// end
	return db, err
}

func verify() (*sql.DB, error) {
	// docs: verify
	url := strings.Replace(os.Getenv("DATABASE_URL"),
		"sslmode=require", "sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt", 1)
	db, err := sql.Open("postgres", url)
	// end
	return db, err
}

func main() {
	connect := map[string]func() (*sql.DB, error){"require": require, "verify": verify}
	db, err := connect[os.Args[1]]()
	must(err)
	defer db.Close()
	var database string
	must(db.QueryRow("SELECT current_database()").Scan(&database))
	statement, err := db.Prepare("SELECT $1::int")
	must(err)
	prepared := 0
	for number := range 10 {
		var echoed int
		must(statement.QueryRow(number).Scan(&echoed))
		prepared += echoed
	}
	transaction, err := db.Begin()
	must(err)
	_, err = transaction.Exec("CREATE TABLE unfinished (id int)")
	must(err)
	must(transaction.Rollback())
	var unfinished *string
	must(db.QueryRow("SELECT to_regclass('unfinished')::text").Scan(&unfinished))
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"database": database, "prepared": prepared, "unfinished": unfinished,
	}))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
