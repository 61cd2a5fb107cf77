package gateway

import (
	"fmt"
	"io"
	"os"
)

// Files are where a gateway's configuration lies. All are required.
type Files struct {
	Member      MemberID // who asks
	Key         string   // of the seal, PEM (PKCS #8); nobody but its owner may read it
	Certificate string   // of the seal, PEM
	Trust       string   // the instance's trust file
	Services    string   // what is asked and where: JSON, a list of Service
}

// maxFile is far above any of them.
const maxFile = 4 << 20

// Read reads them. Log, Now and what else a Config has are the caller's to add.
func (f Files) Read(random io.Reader) (c Config, err error) {
	if _, err := ParseMemberID(string(f.Member)); err != nil {
		return c, err
	}
	if info, err := os.Stat(f.Key); err == nil && info.Mode().Perm()&0o077 != 0 {
		return c, fmt.Errorf("gateway: %s can be read by others (mode %#o): chmod 600", f.Key, info.Mode().Perm())
	}
	var content [4][]byte
	for i, path := range []string{f.Key, f.Certificate, f.Trust, f.Services} {
		if content[i], err = readFile(path); err != nil {
			return c, err
		}
	}
	if c.Seal, err = ReadSeal(f.Member, content[0], content[1], random); err != nil {
		return c, err
	}
	if c.Trust, err = ParseTrust(content[2]); err != nil {
		return c, err
	}
	c.Services, err = ParseServices(content[3])
	c.Rand = random
	return c, err
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, fmt.Errorf("gateway: %s: %w", path, err)
	}
	return data, nil
}

// Reload takes the trust file at path if it is newer. It is to be called now and then, so that a seal that was taken back stops counting without a restart.
func (c *Client) Reload(path string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	t, err := ParseTrust(data)
	if err != nil {
		return err
	}
	return c.Renew(t)
}
