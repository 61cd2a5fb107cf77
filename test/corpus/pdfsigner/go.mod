// A module of its own: what signs the corpus is no part of the service.
module github.com/tesdiq/tesdiq/test/corpus/pdfsigner

go 1.26.0

require github.com/digitorus/pdfsign v0.9.0

require (
	github.com/digitorus/pdf v0.1.2 // indirect
	github.com/digitorus/pkcs7 v0.0.0-20230818184609-3a137a874352 // indirect
	github.com/digitorus/timestamp v0.0.0-20231217203849-220c5c2851b7 // indirect
	github.com/mattetti/filebuffer v1.0.1 // indirect
	golang.org/x/crypto v0.53.0 // indirect
	golang.org/x/text v0.38.0 // indirect
)
